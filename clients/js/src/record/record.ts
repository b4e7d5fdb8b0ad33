import { type AskOptions, ask } from '../ask.js'
import type {
  BarRecord,
  ChangeOutcome,
  Chart,
  DecisionPage,
  DecisionRecord,
  DecisionRow,
  HeatMap,
  PaperAccount,
  Setups,
  SignalPage,
  VersionOutcome,
  VersionPage,
} from '../types.js'

type OneOrMore<T> = T | readonly T[]

/** Which decisions: those that meet every condition that is given. */
export interface DecisionFilter {
  /** Only bars that open at this time or later, ISO 8601. */
  readonly from?: string | undefined
  /** Only bars that open before this time. */
  readonly to?: string | undefined
  readonly level?: OneOrMore<DecisionRow['clarity_level']> | undefined
  /** The level of the confidence alone, which a filter may have held back. */
  readonly raw_level?: OneOrMore<DecisionRow['raw_clarity_level']> | undefined
  readonly side?: OneOrMore<DecisionRow['side']> | undefined
  /** Ids of filters, one of which blocked the entry. */
  readonly blocked_by?: OneOrMore<string> | undefined
  /** Whether a filter held back an entry. */
  readonly held?: boolean | undefined
  /** Only decisions of this version of the configuration. */
  readonly version?: number | undefined
}

/** Which part of a list of decisions. */
export interface DecisionPageOptions extends DecisionFilter {
  /** `next` of the page before. */
  readonly before?: string | null | undefined
  /** At most so many. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal
}

/** Costs of a trade in basis points; those of the server's settings if left out. */
export interface Costs {
  readonly fee?: number | undefined
  readonly slippage?: number | undefined
  readonly signal?: AbortSignal
}

/** Which bars are judged: of which assets, from when to when; all that are recorded if left out. */
export interface JudgedSpan {
  readonly asset?: OneOrMore<string> | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly signal?: AbortSignal
}

/** Options of a client of the record: those that `withToken` returns will do. */
export type RecordOptions = Pick<AskOptions, 'timeout' | 'fetch'>

/**
 * Decisions as they were made and streamed. Methods fail as those of `VivienneRestClient`; a server without a record
 * answers with the code `no_record`.
 */
export class VivienneRecord {
  readonly #assets: string
  readonly #all: string
  readonly #base: string
  readonly #options: RecordOptions

  /** @param baseUrl - where the server is; empty for the origin of the page */
  constructor(baseUrl = 'http://localhost:8000', options: RecordOptions = {}) {
    const base = baseUrl.replace(/\/+$/, '')
    this.#assets = `${base}/phoenix/assets/`
    this.#base = `${base}/phoenix`
    this.#all = `${this.#base}/decisions`
    this.#options = options
  }

  /** Decisions of all assets or some, newest first: entries, held back or not, unless a level is asked for. */
  signals({
    asset,
    signal,
    ...query
  }: DecisionPageOptions & { readonly asset?: OneOrMore<string> } = {}): Promise<SignalPage> {
    return this.#ask(this.#all, { ...query, asset }, signal)
  }

  /** Decisions of one asset, newest first. */
  decisions(asset: string, { signal, ...query }: DecisionPageOptions = {}): Promise<DecisionPage> {
    return this.#ask(`${this.#assets}${encodeURIComponent(asset)}/decisions`, query, signal)
  }

  /** Bars with the decisions on them that open before a moment, oldest first: a page back through the whole record. */
  bars(asset: string, before: string, limit?: number, signal?: AbortSignal): Promise<Chart> {
    return this.#ask(`${this.#assets}${encodeURIComponent(asset)}/bars`, { before, limit }, signal)
  }

  /** The whole explanation of the decision on one bar, by a time within it. */
  decision(asset: string, time: string, signal?: AbortSignal): Promise<DecisionRecord> {
    return this.#ask(`${this.#assets}${encodeURIComponent(asset)}/decisions/${encodeURIComponent(time)}`, {}, signal)
  }

  /** What is known of one bar, by a time within it: the explanation of its decision, or why there is none. */
  bar(asset: string, time: string, signal?: AbortSignal): Promise<BarRecord> {
    return this.#ask(`${this.#assets}${encodeURIComponent(asset)}/bars/${encodeURIComponent(time)}`, {}, signal)
  }

  /** Versions of the configuration that decided an asset, newest first. */
  versions(
    asset: string,
    o: { before?: number | null; limit?: number; signal?: AbortSignal } = {},
  ): Promise<VersionPage> {
    const { signal, ...query } = o
    return this.#ask(`${this.#assets}${encodeURIComponent(asset)}/versions`, query, signal)
  }

  /**
   * What came of a version for an asset, beside what the one before would have done on the same bars; its curves have
   * at most so many points.
   */
  version(
    asset: string,
    version: number,
    { signal, ...query }: Costs & { readonly points?: number | undefined } = {},
  ): Promise<VersionOutcome> {
    return this.#ask(`${this.#assets}${encodeURIComponent(asset)}/versions/${version}`, query, signal)
  }

  /** The same for all assets that the version decided, or for some, as one equity. */
  change(
    version: number,
    {
      signal,
      ...query
    }: Costs & { readonly asset?: OneOrMore<string> | undefined; readonly points?: number | undefined } = {},
  ): Promise<ChangeOutcome> {
    return this.#ask(`${this.#base}/versions/${version}`, query, signal)
  }

  /** The paper account that follows the decisions: a simulation. */
  account({ signal, ...query }: JudgedSpan & Costs = {}): Promise<PaperAccount> {
    return this.#ask(`${this.#base}/account`, query, signal)
  }

  /** What came of entries by their kinds, and of those that filters held back. */
  setups({ signal, ...query }: JudgedSpan = {}): Promise<Setups> {
    return this.#ask(`${this.#base}/setups`, query, signal)
  }

  /** How much each filter blocked, by the day or the hour. */
  filters({ signal, ...query }: JudgedSpan & { readonly unit?: HeatMap['unit'] } = {}): Promise<HeatMap> {
    return this.#ask(`${this.#base}/filters`, query, signal)
  }

  #ask<T>(url: string, query: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<T> {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      for (const each of Array.isArray(value) ? value : [value ?? []].flat()) search.append(name, `${each}`)
    }
    const options = { ...this.#options, ...(signal === undefined ? {} : { signal }) }
    return ask('GET', `${url}${search.size > 0 ? `?${search}` : ''}`, {}, options)
  }
}
