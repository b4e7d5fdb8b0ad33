import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react'
import { History, type HistorySnapshot } from './history.js'
import { useConnectedClient } from './provider.js'

/** Result of {@link useConfigHistory}. */
export interface ConfigHistory extends HistorySnapshot {
  /** Asks the server again. It is asked by itself whenever the configuration moves. */
  refresh(): void
}

const NOTHING_YET: HistorySnapshot = { entries: [], loading: true, error: null }

/**
 * The newest changes of the configuration, newest first.
 *
 * @param asset - what bears on this asset, changes of the layer under all assets too; null for those of that layer only;
 * undefined for everything
 * @param limit - at most so many, up to 1,000
 */
export function useConfigHistory(asset: string | null | undefined, limit = 10): ConfigHistory {
  const client = useConnectedClient()
  const name = asset?.toUpperCase() ?? (asset as null | undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: with another limit the entries there are stay in place
  const history = useMemo(() => new History(client, name, limit), [client, name])
  useEffect(() => {
    history.start()
    return () => history.stop()
  }, [history])
  useEffect(() => history.show(limit), [history, limit])
  const subscribe = useCallback((listener: () => void) => history.subscribe(listener), [history])
  const snapshot = useSyncExternalStore(
    subscribe,
    () => history.getSnapshot(),
    () => NOTHING_YET,
  )
  const refresh = useCallback(() => history.refresh(), [history])
  return { ...snapshot, refresh }
}
