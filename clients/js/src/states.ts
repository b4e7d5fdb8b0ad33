import { Listeners } from './listeners.js'
import type { AssetData } from './types.js'

/** The newest state of every asset, for any number of readers. */
export class StateStore {
  readonly #states = new Map<string, AssetData>()
  readonly #listeners = new Listeners<string>()
  #assets: readonly string[] = []

  /** The newest state of an asset; undefined before the first one arrived. */
  get(asset: string): AssetData | undefined {
    return this.#states.get(asset)
  }

  /** The assets of which a state arrived, in the order of their arrival; the same list until there is another one. */
  assets(): readonly string[] {
    return this.#assets
  }

  /** Calls the listener for each new state of an asset. Returns a function that ends it. */
  subscribe(asset: string, listener: () => void): () => void {
    return this.#listeners.add(listener, asset)
  }

  /** Calls the listener with the asset for each new state of any asset. Returns a function that ends it. */
  subscribeAll(listener: (asset: string) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Takes a new state. */
  receive(state: AssetData): void {
    const { asset } = state
    if (!this.#states.has(asset)) this.#assets = [...this.#assets, asset]
    this.#states.set(asset, state)
    this.#listeners.tell(asset, asset)
    this.#listeners.tell(asset)
  }
}
