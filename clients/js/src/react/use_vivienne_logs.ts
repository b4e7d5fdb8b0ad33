import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react'
import type { LogTail } from '../index.js'
import type { LogLevel } from '../types.js'
import { hold } from './hold.js'
import { useVivienneClient } from './provider.js'

/** Selection of records. */
export interface VivienneLogsOptions {
  /** Records below it are not sent. */
  readonly level?: LogLevel
  /** False to pause; held records stay. */
  readonly enabled?: boolean
}

/** Result of {@link useVivienneLogs}. */
export type VivienneLogs = ReturnType<LogTail['getSnapshot']> & {
  /** Forgets the records held. */
  clear(): void
}

/** The newest log records of the server, oldest first. */
export function useVivienneLogs({ level, enabled = true }: VivienneLogsOptions = {}): VivienneLogs {
  const client = useVivienneClient()
  const tail = useMemo(() => client.logs(level === undefined ? {} : { level }), [client, level])
  useEffect(() => {
    if (!enabled) return
    // The log may be silent for long; that its connection broke shows in the one of the states.
    const ends = [client.retain(), hold(tail)]
    return () => {
      for (const end of ends) end()
    }
  }, [client, tail, enabled])
  const subscribe = useCallback((listener: () => void) => tail.subscribe(listener), [tail])
  const getSnapshot = () => tail.getSnapshot()
  const snapshot = useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
  const clear = useCallback(() => tail.clear(), [tail])
  return useMemo(() => ({ ...snapshot, clear }), [snapshot, clear])
}
