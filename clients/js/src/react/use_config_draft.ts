import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react'
import { DraftSession, type SessionSnapshot, type Signature } from '../draft/session.js'
import type { Acknowledgement } from '../types.js'
import { useConnectedClient } from './provider.js'

/** Result of {@link useConfigDraft}. */
export interface ConfigDraftHook extends SessionSnapshot {
  /**
   * Sends the changed values only. Never rejects: problems are in `error` and beside the fields.
   *
   * @returns null where nothing was saved
   */
  save(signature?: Signature): Promise<Acknowledgement | null>
  /** Lets values be inherited again; edits of them are over. Rejects when it is refused. */
  reset(paths: readonly string[], signature?: Signature): Promise<Acknowledgement>
}

const EMPTY: SessionSnapshot = { draft: null, snapshot: null, sections: null, error: null, saving: false }

/**
 * A form over a layer of the configuration: typed values are kept apart from those in force, which are followed live.
 *
 * @param layer - an asset, or null for the layer under all assets
 */
export function useConfigDraft(layer: string | null): ConfigDraftHook {
  const client = useConnectedClient()
  const asset = layer?.toUpperCase() ?? null
  const session = useMemo(() => new DraftSession(client, asset), [client, asset])
  useEffect(() => {
    session.start()
    return () => session.stop()
  }, [session])
  const subscribe = useCallback((listener: () => void) => session.subscribe(listener), [session])
  const snapshot = useSyncExternalStore(
    subscribe,
    () => session.getSnapshot(),
    () => EMPTY,
  )
  const save = useCallback((signature?: Signature) => session.save(signature), [session])
  const reset = useCallback(
    (paths: readonly string[], signature?: Signature) => session.reset(paths, signature),
    [session],
  )
  return { ...snapshot, save, reset }
}
