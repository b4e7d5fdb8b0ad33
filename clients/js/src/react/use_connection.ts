import { useCallback, useSyncExternalStore } from 'react'
import type { ConnectionSnapshot } from '../connection.js'
import { useConnectedClient } from './provider.js'

/** How the connection is: `offline`, `connecting`, `live` or `stale`, since when, and why it is not live. */
export function useConnection(): ConnectionSnapshot {
  const { connection } = useConnectedClient()
  const subscribe = useCallback((listener: () => void) => connection.on('connection', listener), [connection])
  const getSnapshot = () => connection.getSnapshot()
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}
