import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server on which some requests take long. */
export interface SlowWay {
  readonly url: string
  close(): void
}

/**
 * Passes connections on to a port of this machine.
 *
 * @param path - what is asked for in requests that are held back
 * @param ms - how long
 * @param plain - a WebSocket that is asked for there arrives as a plain request, as through a proxy without Upgrade
 */
export async function slowWay(port: number, path: string, ms: number, plain?: string): Promise<SlowWay> {
  const open = new Set<Socket>()
  const way = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
    far.pipe(near)
    near.once('data', (request: Buffer) => {
      near.pause()
      const text = request.toString('latin1')
      const held = text.startsWith(`GET ${path} `)
      const isPlain = plain !== undefined && text.startsWith(`GET ${plain} `)
      setTimeout(
        () => {
          far.write(isPlain ? text.replace(/^(Upgrade|Connection):.*\r\n/gim, '') : request, 'latin1')
          near.pipe(far)
        },
        held ? ms : 0,
      )
    })
  })
  way.listen(0, 'localhost')
  await once(way, 'listening')
  return {
    url: `http://localhost:${(way.address() as AddressInfo).port}`,
    close() {
      way.close()
      for (const socket of open) socket.destroy()
    },
  }
}
