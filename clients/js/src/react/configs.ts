import type { VivienneClient } from '../client.js'
import { shared } from '../draft/sharing.js'
import type { AssetData, Configuration } from '../types.js'

/**
 * Configuration in force by the states; before the first one, the last known one. The same object until something
 * in it is different: a form that copies it does so once, not at every tick.
 */
export class ConfigsInForce {
  readonly #client: VivienneClient
  readonly #known = new Map<string, { readonly state: AssetData; readonly config: Configuration }>()

  constructor(client: VivienneClient) {
    this.#client = client
  }

  get(asset: string): Configuration | undefined {
    const state = this.#client.states.get(asset)
    const newest = state?.agents.VivienneAgent?.config
    if (state === undefined || newest === undefined) return this.#client.configs.get(asset)
    const known = this.#known.get(asset)
    if (known?.state === state) return known.config
    const config = shared(known?.config ?? this.#client.configs.get(asset), newest)
    this.#known.set(asset, { state, config })
    return config
  }

  subscribe(asset: string, listener: () => void): () => void {
    const ends = [this.#client.states.subscribe(asset, listener), this.#client.configs.subscribe(asset, listener)]
    return () => {
      for (const end of ends) end()
    }
  }
}

const byClient = new WeakMap<VivienneClient, ConfigsInForce>()

/** Those of a client; all components share them. */
export function configsOf(client: VivienneClient): ConfigsInForce {
  const configs = byClient.get(client) ?? new ConfigsInForce(client)
  byClient.set(client, configs)
  return configs
}
