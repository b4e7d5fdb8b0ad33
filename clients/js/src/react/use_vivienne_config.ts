import { useCallback, useMemo, useState, useSyncExternalStore } from 'react'
import type { VivienneClient } from '../client.js'
import type { Acknowledgement, Configuration, PartialConfiguration } from '../types.js'
import { configsOf } from './configs.js'
import { useConnectedClient } from './provider.js'

/** Result of {@link useVivienneConfig}. */
export interface VivienneConfig {
  /** Everything in force for the asset; the same object until something in it is different. Null before it is known. */
  readonly config: Configuration | null
  /** An update is under way. */
  readonly loading: boolean
  /** Error of the last update in the words of the server, or the reason why nothing can be shown. */
  readonly error: string | null
  /** Replaces what the asset sets. Rejects when it is refused; nothing was changed then. */
  updateConfig(config: PartialConfiguration): Promise<Acknowledgement>
  /** Lays values over what the asset sets. Rejects when it is refused; nothing was changed then. */
  updatePartialConfig(config: PartialConfiguration): Promise<Acknowledgement>
}

/** Updates of one asset of one client. */
interface Updates {
  readonly client: VivienneClient
  readonly asset: string
  readonly underWay: number
  readonly error: string | null
}

/**
 * Watch and change the configuration of an asset. Changes by others arrive over the WebSocket.
 *
 * @param assetSymbol - in any case
 */
export function useVivienneConfig(assetSymbol = 'BTC'): VivienneConfig {
  const client = useConnectedClient()
  const asset = assetSymbol.toUpperCase()
  const { config, unreachable } = useWatched(client, asset)
  const [updates, setUpdates] = useState<Updates>({ client, asset, underWay: 0, error: null })
  const own = updates.client === client && updates.asset === asset

  const change = useCallback(
    async (send: () => Promise<Acknowledgement>) => {
      // An update that outlives the asset it was for says nothing about the next one.
      const note = (step: number, error?: string) =>
        setUpdates((before) => {
          const same = before.client === client && before.asset === asset
          if (!same && step < 0) return before
          const { underWay, error: earlier } = same ? before : { underWay: 0, error: null }
          return { client, asset, underWay: Math.max(0, underWay + step), error: step > 0 ? null : (error ?? earlier) }
        })
      note(1)
      try {
        const answer = await send()
        note(-1)
        return answer
      } catch (error) {
        note(-1, error instanceof Error ? error.message : String(error))
        throw error
      }
    },
    [client, asset],
  )
  const updateConfig = useCallback(
    (config: PartialConfiguration) => change(() => client.rest.update(config, { asset })),
    [change, client, asset],
  )
  const updatePartialConfig = useCallback(
    (config: PartialConfiguration) => change(() => client.rest.partialUpdate(config, { asset })),
    [change, client, asset],
  )
  return {
    config,
    loading: own && updates.underWay > 0,
    error: (own ? updates.error : null) ?? (config === null ? unreachable : null),
    updateConfig,
    updatePartialConfig,
  }
}

/** The configuration, and while there is none, why. */
function useWatched(client: VivienneClient, asset: string) {
  const configs = useMemo(() => configsOf(client), [client])
  const subscribe = useCallback((listener: () => void) => configs.subscribe(asset, listener), [configs, asset])
  const config = useSyncExternalStore(
    subscribe,
    () => configs.get(asset) ?? null,
    () => null,
  )
  const onConnection = useCallback((listener: () => void) => client.connection.on('connection', listener), [client])
  const unreachable = useSyncExternalStore(
    onConnection,
    () => whyNot(client),
    () => null,
  )
  return { config, unreachable }
}

function whyNot({ connection }: VivienneClient): string | null {
  const { reconnectAttempts, reason } = connection.getSnapshot()
  return reconnectAttempts > 0 && reason !== null ? `WebSocket connection failed: ${reason}` : null
}
