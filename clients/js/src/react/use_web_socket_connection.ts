import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import { VivienneWebSocketManager } from '../connection.js'
import type { ManagerOptions } from '../connection_types.js'
import { hold } from './hold.js'

/** Result of {@link useWebSocketConnection}. */
export interface WebSocketConnection {
  readonly isConnected: boolean
  /** The socket that is opening or open. */
  readonly ws: WebSocket | null
  readonly connect: () => void
  readonly disconnect: () => void
}

/**
 * A connection of its own to one of the streams, while the component is mounted. It reconnects by itself.
 * Who listens to its socket gets whole states, unless the options ask for changes.
 *
 * @param url - of `/ws/state` or `/ws/logs`
 * @param options - how it is kept; looked at when the connection is made
 */
export function useWebSocketConnection(url: string, options?: ManagerOptions): WebSocketConnection {
  const given = useRef(options)
  const manager = useMemo(() => {
    // Only on the stream of states silence means that the connection broke.
    const silenceCounts = new URL(url, 'ws://localhost').pathname.endsWith('/ws/state')
    return new VivienneWebSocketManager(url, {
      updates: 'states',
      ...(silenceCounts ? {} : { staleAfter: Infinity }),
      ...given.current,
    })
  }, [url])
  useEffect(() => hold(manager), [manager])
  const subscribe = useCallback((listener: () => void) => manager.on('connection', listener), [manager])
  const getSnapshot = () => manager.getSnapshot()
  const { state } = useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
  const connect = useCallback(() => manager.connect(), [manager])
  const disconnect = useCallback(() => manager.disconnect(), [manager])
  return { isConnected: state === 'live' || state === 'stale', ws: manager.ws, connect, disconnect }
}
