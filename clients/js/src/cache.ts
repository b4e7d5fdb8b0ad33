import { Listeners } from './listeners.js'
import type { Configuration } from './types.js'

/** Storage that outlives the page, such as `localStorage`. */
export type ConfigStorage = Pick<Storage, 'getItem' | 'setItem'>

const PREFIX = 'vivienne.config.'

interface Known {
  readonly text: string
  readonly config: Configuration
  /** Version it was last seen with; undefined if it came without one. */
  version?: number | undefined
}

/** The last configuration known to be in force, by asset. It stays available while there is no connection. */
export class ConfigCache {
  readonly #storage: ConfigStorage | undefined
  readonly #known = new Map<string, Known>()
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
      // Unreadable text counts as absent.
    }
    return this.#known.get(asset)?.config
  }

  /**
   * Keeps a configuration. One that says the same as the present one changes nothing.
   *
   * @param version - `config_version` of the state it came with. A configuration of the version that is kept already is
   * not compared. Without a version, it always is.
   */
  set(asset: string, config: Configuration, version?: number): void {
    const known = this.#known.get(asset)
    if (known && version !== undefined && known.version === version) return
    const text = JSON.stringify(config)
    if (known?.text === text) {
      known.version = version
      return
    }
    this.#known.set(asset, { text, config, version })
    try {
      this.#storage?.setItem(PREFIX + asset, text)
    } catch {
      // A storage that is full or forbidden does not stop the cache.
    }
    this.#listeners.tell(undefined, asset)
  }

  /** Compares every configuration once more: after a reconnect the same version may be that of another database. */
  forgetVersions(): void {
    for (const known of this.#known.values()) known.version = undefined
  }

  /** Calls the listener when another configuration is set. Returns a function that ends it. */
  subscribe(asset: string, listener: () => void): () => void {
    return this.#listeners.add(listener, asset)
  }
}
