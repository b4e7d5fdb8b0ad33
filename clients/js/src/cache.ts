import { Listeners } from './listeners.js'
import type { Configuration } from './types.js'

/** Where a cache outlives the page, such as `localStorage`. */
export type ConfigStorage = Pick<Storage, 'getItem' | 'setItem'>

const PREFIX = 'vivienne.config.'

/** The last configuration known to be in force, by asset. It is kept while there is no connection. */
export class ConfigCache {
  readonly #storage: ConfigStorage | undefined
  readonly #known = new Map<string, { readonly text: string; readonly config: Configuration }>()
  readonly #listeners = new Listeners<void>()

  /** @param persist - keeps configurations beyond the life of the page */
  constructor(persist?: ConfigStorage) {
    this.#storage = persist
  }

  /** The last configuration; the same object until another one is set. */
  get(asset: string): Configuration | undefined {
    try {
      const text = this.#known.has(asset) ? null : this.#storage?.getItem(PREFIX + asset)
      if (text) this.#known.set(asset, { text, config: JSON.parse(text) })
    } catch {
      // Unreadable is as good as absent.
    }
    return this.#known.get(asset)?.config
  }

  /** Keeps a configuration. One that says the same as the present one changes nothing. */
  set(asset: string, config: Configuration): void {
    const text = JSON.stringify(config)
    if (this.#known.get(asset)?.text === text) return
    this.#known.set(asset, { text, config })
    try {
      this.#storage?.setItem(PREFIX + asset, text)
    } catch {
      // A storage that is full or forbidden costs only what it was for.
    }
    this.#listeners.tell(undefined, asset)
  }

  /** Tells when another configuration is set. Returns what ends it. */
  subscribe(asset: string, listener: () => void): () => void {
    return this.#listeners.add(listener, asset)
  }
}
