import { useCallback, useMemo, useSyncExternalStore } from 'react'
import type { ConfigCache } from '../index.js'
import type { Configuration } from '../types.js'
import { useVivienneClient } from './provider.js'

/** Result of {@link useConfigCache}. */
export interface CachedConfigs {
  /** The last configuration known of an asset; another function once one it was asked for is another. */
  readonly getCachedConfig: (asset: string) => Configuration | undefined
  readonly setCachedConfig: (asset: string, config: Configuration) => void
}

/** The last known configurations of the client; kept while there is no connection, and shared by all components. */
export function useConfigCache(): CachedConfigs {
  const { configs } = useVivienneClient()
  const asked = useMemo(() => new AskedConfigs(configs), [configs])
  const count = useSyncExternalStore(asked.subscribe, asked.count, asked.count)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another function for another content, so that effects see it
  const getCachedConfig = useCallback((asset: string) => asked.get(asset), [asked, count])
  const setCachedConfig = useCallback(
    (asset: string, config: Configuration) => configs.set(asset.toUpperCase(), config),
    [configs],
  )
  return { getCachedConfig, setCachedConfig }
}

/** Counts the changes of those configurations that were asked for. */
class AskedConfigs {
  readonly #configs: ConfigCache
  readonly #assets = new Map<string, (() => void) | null>()
  readonly #listeners = new Set<() => void>()
  #count = 0

  constructor(configs: ConfigCache) {
    this.#configs = configs
  }

  readonly count = () => this.#count

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    for (const asset of this.#assets.keys()) this.#watch(asset)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      for (const [asset, end] of this.#assets) {
        end?.()
        this.#assets.set(asset, null)
      }
    }
  }

  get(symbol: string): Configuration | undefined {
    const asset = symbol.toUpperCase()
    if (!this.#assets.has(asset)) this.#assets.set(asset, null)
    if (this.#listeners.size > 0) this.#watch(asset)
    return this.#configs.get(asset)
  }

  #watch(asset: string): void {
    if (this.#assets.get(asset)) return
    const end = this.#configs.subscribe(asset, () => {
      this.#count++
      for (const listener of [...this.#listeners]) listener()
    })
    this.#assets.set(asset, end)
  }
}
