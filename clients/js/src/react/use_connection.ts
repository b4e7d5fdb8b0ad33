import { useCallback, useSyncExternalStore } from 'react'
import type { ConnectionSnapshot } from '../connection_types.js'
import { useConnectedClient } from './provider.js'

/** State of the connection: `offline`, `connecting`, `live`, `stale` or `refused`, since when, and why. */
export function useConnection(): ConnectionSnapshot {
  const { connection } = useConnectedClient()
  const subscribe = useCallback((listener: () => void) => connection.on('connection', listener), [connection])
  const getSnapshot = () => connection.getSnapshot()
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}
