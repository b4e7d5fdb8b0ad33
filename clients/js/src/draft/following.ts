import type { VivienneClient } from '../client.js'
import { VivienneProblem } from '../errors.js'
import { watchVersion } from './versions.js'

/** Between two attempts to load what could not be loaded, in ms. */
const RETRY_DELAY = 3_000

/** Asks the server; gives what puts the answer in its place. */
export type Load = (signal: AbortSignal | undefined) => Promise<() => void>

/**
 * Something loaded from the server, and again when the configuration changes or the server is back. Between `start` and
 * `stop` it listens and waits; otherwise it holds nothing.
 */
export class Following {
  readonly #client: VivienneClient
  readonly #asset: string | null
  readonly #load: Load
  readonly #changed: () => void
  /** While started: takes requests back when it stops. */
  #running: AbortController | null = null
  #unwatch = () => {}
  #retry: ReturnType<typeof setTimeout> | undefined
  #loading: Promise<void> | null = null
  /** True if something changed since the running request was sent. */
  #again = false
  /** Marks the running request as outdated. */
  #outdated = false
  #error: string | null = null

  /**
   * @param asset - whose version counts; null for that of any asset
   * @param changed - is told when `error` or `loading` may be another
   */
  constructor(client: VivienneClient, asset: string | null, load: Load, changed: () => void) {
    this.#client = client
    this.#asset = asset
    this.#load = load
    this.#changed = changed
  }

  /** Reason why the last attempt failed. */
  get error(): string | null {
    return this.#error
  }

  get loading(): boolean {
    return this.#loading !== null
  }

  start(): void {
    this.stop()
    this.#running = new AbortController()
    this.#unwatch = watchVersion(this.#client, this.#asset, () => void this.load())
    void this.load()
  }

  stop(): void {
    clearTimeout(this.#retry)
    this.#unwatch()
    this.#unwatch = () => {}
    this.#running?.abort()
    this.#running = null
  }

  /** Load the current data. Resolves when it is in place, or failed; never rejects. */
  load(): Promise<void> {
    this.#again = this.#loading !== null
    this.#loading ??= this.#loadUntilCurrent()
    return this.#loading
  }

  /** The same, after a change that an answer under way cannot know of. */
  loadAnew(): Promise<void> {
    this.#outdated = true
    return this.load()
  }

  async #loadUntilCurrent(): Promise<void> {
    const begun = this.#running
    await null // callers get the promise first
    this.#changed()
    do {
      this.#again = false
      this.#outdated = false
      if (begun !== null && this.#running === null) break // it was stopped in between
      await this.#loadOnce(this.#running?.signal)
    } while (this.#again)
    this.#loading = null
    this.#changed()
  }

  async #loadOnce(signal: AbortSignal | undefined): Promise<void> {
    clearTimeout(this.#retry)
    try {
      const place = await this.#load(signal)
      if (this.#outdated) return
      this.#error = null
      place()
    } catch (error) {
      if (signal?.aborted) return
      this.#error = sentence(error)
      // What the server refuses it refuses again, until something is different there.
      const refused = error instanceof VivienneProblem && error.status < 500
      if (!refused && this.#running !== null) this.#retry = setTimeout(() => void this.load(), RETRY_DELAY)
    }
  }
}

/** Message of an error, for a person. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
