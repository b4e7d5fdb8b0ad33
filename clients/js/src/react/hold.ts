/** A connection that can be opened and closed. */
interface Connection {
  connect(): void
  disconnect(): void
}

const holders = new WeakMap<Connection, number>()

/**
 * Connect while anybody holds it. The end waits for the end of the task, so that a component that is mounted again at
 * once, as in strict mode, keeps the socket.
 *
 * @returns lets go
 */
export function hold(connection: Connection): () => void {
  const count = () => holders.get(connection) ?? 0
  holders.set(connection, count() + 1)
  connection.connect()
  return () => {
    holders.set(connection, count() - 1)
    queueMicrotask(() => {
      if (count() === 0) connection.disconnect()
    })
  }
}
