import { VivienneError, VivienneProblem, VivienneTimeout, VivienneUnreachable } from './errors.js'
import { given } from './paths.js'
import { randomId } from './request_id.js'
import type {
  Acknowledgement,
  AssetList,
  Chart,
  ConfigSchema,
  ConfigurationPage,
  DecisionPreview,
  HistoryPage,
  InForce,
  PartialConfiguration,
  PauseEntry,
  Pauses,
  Problem,
  Replaced,
  Switched,
  Verdict,
} from './types.js'

/** Options of a change. */
export interface ChangeOptions {
  /** Asset it applies to; null or left out: the layer under all assets. */
  readonly asset?: string | null
  /** Why, for the history. */
  readonly reason?: string
  /** Who, for the history. */
  readonly author?: string
  /** Refuse the change (`version_conflict`) unless this is the version in force. */
  readonly expectedVersion?: number
  /** A repetition under the same id is answered as the first time and not made again; random if left out. */
  readonly requestId?: string
  readonly signal?: AbortSignal
}

/** Options of a resumption. */
export interface ResumeOptions extends ChangeOptions {
  /** The pause to end, as a state or the list of pauses has it; null if none is known. */
  readonly pause?: Pick<PauseEntry, 'config_id' | 'created_at'> | null
}

/** Options of a REST client. */
export interface RestOptions {
  /** Longest time for an answer, in ms; 10,000 if left out. */
  readonly timeout?: number
  readonly fetch?: typeof fetch
  /** Default author of changes; a function is called for each change, '' means none. */
  readonly author?: string | (() => string)
}

/** Which part of a list. */
export interface PageOptions {
  /** Only entries about this asset. */
  readonly asset?: string | null
  /** At most so many entries. */
  readonly limit?: number
  /** Only versions below this: `next` of the page before. */
  readonly before?: number | null
  readonly signal?: AbortSignal
}

/** Which changes of the history; texts are parts of what is sought, in any case. */
export interface HistoryOptions extends PageOptions {
  /** Only from this moment on, as ISO 8601. */
  readonly since?: string | undefined
  /** Only before this moment. */
  readonly until?: string | undefined
  /** Only of this value: its path, its flat name, or its section. */
  readonly field?: string | undefined
  readonly author?: string | undefined
  readonly reason?: string | undefined
  /** `rest`, `websocket`, `control`, `redis`, `import` or `cli`. */
  readonly channel?: string | undefined
  /** Only of one layer itself: that of the asset, without one that of all assets. */
  readonly own?: boolean | undefined
}

type ReadOptions = { [K in keyof HistoryOptions]: HistoryOptions[K] | undefined }

type Query = Record<string, string | number | boolean | undefined>

const CONFIGURATION = '/phoenix/config/vivienne/comprehensive/'
const ASSETS = '/phoenix/assets'

/**
 * The REST interface. Every method throws {@link VivienneProblem} when the server refuses, {@link VivienneTimeout} when
 * it does not answer in time, {@link VivienneUnreachable} when it cannot be reached, and the reason of the signal when
 * that aborts.
 */
export class VivienneRestClient {
  readonly baseUrl: string
  readonly #timeout: number
  readonly #fetch: typeof fetch
  readonly #author: RestOptions['author']

  /** @param baseUrl - where the server is; empty for the origin of the page */
  constructor(baseUrl = 'http://localhost:8000', options: RestOptions = {}) {
    this.baseUrl = baseUrl.replace(/\/+$/, '')
    this.#timeout = options.timeout ?? 10_000
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
    this.#author = options.author
  }

  /** Replaces what a layer sets. */
  update(config: PartialConfiguration, o?: ChangeOptions): Promise<Acknowledgement> {
    return this.#change('update', config, o)
  }

  /** Lays values over what a layer sets. */
  partialUpdate(config: PartialConfiguration, o?: ChangeOptions): Promise<Acknowledgement> {
    return this.#change('partial-update', config, o)
  }

  /** Configuration in force for an asset, or for the layer under all assets, with the source of each value. */
  active(asset?: string | null, signal?: AbortSignal): Promise<InForce> {
    return this.#read('active', { asset, signal })
  }

  /** Configurations that were accepted and not deleted, newest first. */
  all(o?: PageOptions): Promise<ConfigurationPage> {
    return this.#read('all', o)
  }

  /** Everything that was changed, newest first. With a filter a page may be empty and have a `next` all the same. */
  history(o?: HistoryOptions): Promise<HistoryPage> {
    return this.#read('history', o)
  }

  /** Puts a former configuration in force again; its asset is its own. */
  activate(configId: string, o?: ChangeOptions): Promise<Acknowledgement> {
    return this.#change(`${encodeURIComponent(configId)}/activate`, {}, { ...o, asset: null })
  }

  /** Undoes the change that made a configuration, in every asset that it changed. */
  undo(configId: string, o?: ChangeOptions): Promise<Replaced> {
    return this.#change(`${encodeURIComponent(configId)}/undo`, {}, { ...o, asset: null })
  }

  /** Deletes a configuration; if it is the active one, the one before it is in force. */
  remove(configId: string, o?: ChangeOptions): Promise<Acknowledgement> {
    return this.#change(encodeURIComponent(configId), {}, { ...o, asset: null }, 'DELETE')
  }

  /** Takes values out of a layer, so that they are inherited again. */
  reset(what: { paths: readonly string[] } | { all: true }, o?: ChangeOptions): Promise<Acknowledgement> {
    return this.#change('reset', what, o)
  }

  /** Changes several assets as one change: lays values over what each sets, or has each set what another one does. */
  several(
    assets: readonly string[],
    what: { config: PartialConfiguration } | { copy_from: string },
    o?: ChangeOptions,
  ): Promise<Replaced> {
    return this.#change('several', { ...what, assets }, { ...o, asset: null })
  }

  /**
   * Stops an asset, or all: idle, with size 0, until it is resumed. With the status `not_stored_yet` it is in force,
   * and a restart of the server would lose it. With `not_confirmed_yet`, `agents` names those that may still decide.
   */
  pause(o?: ChangeOptions): Promise<Switched> {
    return this.#change('pause', {}, o)
  }

  /**
   * Ends the pause of an asset, or that of all; one does not end the other. With `pause`, no other pause than that
   * (`version_conflict`), however long the request is under way; with null, none.
   */
  resume({ pause, ...o }: ResumeOptions = {}): Promise<Switched> {
    const known = pause && { config_id: pause.config_id, created_at: pause.created_at }
    return this.#change('resume', pause === undefined ? {} : { pause: known }, o)
  }

  /** Which assets are paused, by whom and why. */
  pauses(signal?: AbortSignal): Promise<Pauses> {
    return this.#read('pause', { signal })
  }

  /**
   * Check a change: whether it would be accepted, and its effect. It is not made.
   *
   * @param o - `partial`: lay it over what the layer sets (unless false) instead of replacing that
   */
  validate(
    config: PartialConfiguration,
    o: Pick<ChangeOptions, 'asset' | 'expectedVersion' | 'signal'> & { readonly partial?: boolean } = {},
  ): Promise<Verdict> {
    const request = { ...config, asset_symbol: o.asset, expected_version: o.expectedVersion }
    return this.#call('POST', `${CONFIGURATION}validate`, { partial: o.partial }, o.signal, request)
  }

  /** The JSON Schema of a configuration: types, bounds, defaults, units, flat names, rules. */
  schema(signal?: AbortSignal): Promise<ConfigSchema> {
    return this.#read('schema', { signal })
  }

  /** Every asset, each with so many of its last closes. */
  assets(closes?: number, signal?: AbortSignal): Promise<AssetList> {
    return this.#call('GET', ASSETS, { closes }, signal)
  }

  /** The last bars of an asset, with indicators and decisions. */
  bars(asset: string, limit?: number, signal?: AbortSignal): Promise<Chart> {
    return this.#call('GET', `${ASSETS}/${encodeURIComponent(asset)}/bars`, { limit }, signal)
  }

  /**
   * Preview the effect of a change on the last bars of an asset. It is not made.
   *
   * @param o - `layer`: whom the change is for, the asset if left out, null for the layer under all assets;
   *   `examples`: at most so many of the different bars
   */
  preview(
    asset: string,
    config: PartialConfiguration,
    o: {
      readonly layer?: string | null
      readonly bars?: number
      readonly examples?: number
      readonly signal?: AbortSignal
    } = {},
  ): Promise<DecisionPreview> {
    const path = `${ASSETS}/${encodeURIComponent(asset)}/preview`
    const { layer = asset, bars, examples, signal } = o
    return this.#call('POST', path, { bars, examples }, signal, { ...config, asset_symbol: layer ?? undefined })
  }

  #read<T>(name: string, { asset, before, signal, ...query }: ReadOptions = {}): Promise<T> {
    const page = { ...query, asset_symbol: asset ?? undefined, before: before ?? undefined }
    return this.#call('GET', CONFIGURATION + name, page, signal)
  }

  #change<T = Acknowledgement>(path: string, content: object, o: ChangeOptions = {}, method = 'POST'): Promise<T> {
    const { asset, reason, author = this.#author, expectedVersion: version, requestId = randomId(), signal } = o
    const request = {
      ...content,
      asset_symbol: asset ?? undefined,
      author: (typeof author === 'function' ? author() : author) || undefined,
      reason: reason || undefined,
      expected_version: version,
      request_id: requestId,
    }
    return this.#call(method, CONFIGURATION + path, {}, signal, request, requestId)
  }

  async #call<T>(
    method: string,
    path: string,
    query: Query,
    signal?: AbortSignal,
    content?: object,
    requestId?: string,
  ): Promise<T> {
    const search = `${new URLSearchParams(given(query) as Record<string, string>)}`
    const url = this.baseUrl + path + (search && `?${search}`)
    const limit = AbortSignal.timeout(this.#timeout)
    try {
      // A redirect would turn a change into a read, whose answer looks like success.
      const sent = content && {
        redirect: 'manual' as const,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(content),
      }
      const response = await this.#fetch(url, {
        method,
        signal: AbortSignal.any([signal ?? limit, limit]),
        ...sent,
      })
      return answered(url, response, await response.text(), requestId)
    } catch (error) {
      if (error instanceof VivienneError) throw error
      signal?.throwIfAborted()
      if (limit.aborted) throw new VivienneTimeout(`${url} did not answer within ${this.#timeout / 1000} s`, requestId)
      throw new VivienneUnreachable(`${url} cannot be reached: ${(error as Error).message}`, requestId, {
        cause: error,
      })
    }
  }
}

/** Content of an answer. */
export function answered<T>(url: string, { ok, status, statusText }: Response, text: string, requestId?: string): T {
  let content: (Partial<Problem> & { version?: number } & T) | null | undefined
  try {
    content = JSON.parse(text)
  } catch {}
  // Every change has a request id, and the answer to it a version: a proxy's word for success does not count.
  if (ok && (requestId ? content?.version : content) !== undefined) return content as T
  const { code, title = statusText, detail, errors = [] }: Partial<Problem> = content ?? {}
  if (code && detail) throw new VivienneProblem({ status, code, title, detail, errors }, requestId)
  const sentence = `${url} answered ${status} ${statusText}, not as Vivienne; a proxy?`
  throw new VivienneProblem({ status, code: 'not_vivienne', title, detail: sentence, errors }, requestId)
}
