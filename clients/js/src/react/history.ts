import type { VivienneClient } from '../client.js'
import { Following } from '../draft/following.js'
import { Listeners } from '../listeners.js'
import type { RevisionEntry } from '../types.js'

/** Content of a history at one moment. */
export interface HistorySnapshot {
  /** Newest first. */
  readonly entries: readonly RevisionEntry[]
  readonly loading: boolean
  readonly error: string | null
}

/** Pages that are looked through for changes of the layer under all assets, which cannot be asked for alone. */
const MOST_PAGES = 10
const PAGE = 100

/** The newest changes, loaded again whenever there is another one. An external store. */
export class History {
  readonly #client: VivienneClient
  readonly #asset: string | null | undefined
  readonly #following: Following
  readonly #listeners = new Listeners<void>()
  #limit: number
  #entries: readonly RevisionEntry[] = []
  #snapshot: HistorySnapshot = { entries: [], loading: true, error: null }

  /** @param asset - null for the layer under all assets only, undefined for everything */
  constructor(client: VivienneClient, asset: string | null | undefined, limit: number) {
    this.#client = client
    this.#asset = asset
    this.#limit = limit
    this.#following = new Following(
      client,
      asset ?? null,
      (signal) => this.#load(signal),
      () => this.#publish(),
    )
  }

  start(): void {
    this.#following.start()
  }

  stop(): void {
    this.#following.stop()
  }

  /** Show so many entries from now on. */
  show(limit: number): void {
    if (limit === this.#limit) return
    this.#limit = limit
    this.refresh()
  }

  refresh(): void {
    void this.#following.load()
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  getSnapshot(): HistorySnapshot {
    return this.#snapshot
  }

  async #load(signal: AbortSignal | undefined): Promise<() => void> {
    const entries = this.#asset === null ? await this.#globalEntries(signal) : await this.#newest(signal)
    return () => {
      this.#entries = entries
    }
  }

  async #newest(signal: AbortSignal | undefined): Promise<readonly RevisionEntry[]> {
    const asset = this.#asset === undefined ? {} : { asset: this.#asset }
    const abortable = signal === undefined ? {} : { signal }
    return (await this.#client.rest.history({ ...asset, ...abortable, limit: this.#limit })).history
  }

  async #globalEntries(signal: AbortSignal | undefined): Promise<readonly RevisionEntry[]> {
    const abortable = signal === undefined ? {} : { signal }
    const found: RevisionEntry[] = []
    let before: number | null = null
    for (let page = 0; page < MOST_PAGES && found.length < this.#limit; page++) {
      const options = { ...abortable, ...(before === null ? {} : { before }), limit: Math.max(this.#limit, PAGE) }
      const { history, next } = await this.#client.rest.history(options)
      found.push(...history.filter((entry) => entry.asset_symbol === null))
      before = next
      if (next === null) break
    }
    return found.slice(0, this.#limit)
  }

  #publish(): void {
    const { error, loading } = this.#following
    this.#snapshot = { entries: this.#entries, error, loading }
    this.#listeners.tell()
  }
}
