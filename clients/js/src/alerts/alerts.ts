import { type Asking, type AskOptions, ask } from '../ask.js'
import { randomId } from '../request_id.js'
import type { ChangeOptions, RestOptions } from '../rest.js'
import type {
  AlertChanged,
  AlertEventPage,
  AlertList,
  AlertPreview,
  AlertRule,
  DeliveryEntry,
  DeliveryPage,
  TestResults,
} from '../types.js'

interface Channel {
  /** Its name within the rule; the server gives one to a channel that has none. */
  readonly id?: string
  /** More alerts than this that wait for it are sent as one message. */
  readonly coalesce_above?: number
  /** An alert that could not be delivered until it expired is not sent any more. */
  readonly drop_expired?: boolean
}

/** A signed request to a program. */
export interface WebhookChannel extends Channel {
  readonly type: 'webhook'
  /** Also `env:NAME`, an environment variable of the server. */
  readonly url: string
  /** `whsec_...` or `env:NAME`; without one a secret is made, and shown once. */
  readonly secret?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** A JSON value whose texts are templates; null sends the alert itself. */
  readonly body?: unknown
}

/** A message to people, through a service. */
export interface AppriseChannel extends Channel {
  readonly type: 'apprise'
  readonly url: string
  readonly title?: string | null
}

/** A notification in the dashboard. */
export interface BrowserChannel extends Channel {
  readonly type: 'browser'
  readonly sound?: boolean
}

/** The channel and stream `vivienne:alerts` of Redis. */
export interface RedisChannel extends Channel {
  readonly type: 'redis'
}

export type AlertChannel = WebhookChannel | AppriseChannel | BrowserChannel | RedisChannel

/** Hours in which a rule sends nothing; past midnight if they end before they begin. */
export interface QuietHours {
  readonly from: string
  readonly to: string
  readonly zone: string
  /** Days on which they begin, `mon` to `sun`; all without any. */
  readonly days?: readonly string[]
}

/** A rule as it is sent: everything that is left out is at its default. */
export type AlertDocument = Partial<Omit<AlertRule, 'channels' | 'quiet'>> & {
  readonly channels: readonly AlertChannel[]
  readonly quiet?: readonly QuietHours[]
}

/** Options of a change of a rule. */
export type AlertChangeOptions = Pick<ChangeOptions, 'reason' | 'author' | 'expectedVersion' | 'requestId' | 'signal'>

/** Which deliveries, newest first. */
export interface DeliveryOptions {
  readonly alert_id?: string | undefined
  readonly status?: DeliveryEntry['status'] | undefined
  readonly asset?: string | undefined
  readonly limit?: number | undefined
  /** `next` of the page before. */
  readonly before?: number | null | undefined
  readonly signal?: AbortSignal
}

type Query = Record<string, string | number | null | undefined>

/** Longest time of a test, which waits for the receivers. */
const TEST_TIMEOUT = 20_000

/** Rules of alerts and their deliveries. Methods fail as those of `VivienneRestClient`. */
export class VivienneAlerts {
  readonly #base: string
  readonly #options: AskOptions
  readonly #author: RestOptions['author']

  /**
   * @param baseUrl - where the server is; empty for the origin of the page
   * @param options - those that `withToken` returns will do
   */
  constructor(baseUrl = 'http://localhost:8000', { author, fetch, timeout }: RestOptions = {}) {
    this.#base = `${baseUrl.replace(/\/+$/, '')}/phoenix/alerts`
    this.#options = { ...(fetch && { fetch }), ...(timeout && { timeout }) }
    this.#author = author
  }

  /** Every rule, and how many there may be. Secrets are masked. */
  list(signal?: AbortSignal): Promise<AlertList> {
    return this.#ask('GET', '', {}, signal)
  }

  /** Makes a rule. Signing secrets that were made for it are in this answer only. */
  make(rule: AlertDocument, o?: AlertChangeOptions): Promise<AlertChanged> {
    return this.#change('POST', '', rule, o)
  }

  /** Replaces a rule. A masked secret stands for the one that is kept for the channel with that id. */
  replace(alertId: string, rule: AlertDocument, o?: AlertChangeOptions): Promise<AlertChanged> {
    return this.#change('POST', `/${encodeURIComponent(alertId)}`, rule, o)
  }

  /** Deletes a rule. */
  remove(alertId: string, o?: AlertChangeOptions): Promise<AlertChanged> {
    return this.#change('DELETE', `/${encodeURIComponent(alertId)}`, undefined, o)
  }

  /** What a rule would send, made from the state of an asset at this moment. Nothing is stored or sent. */
  preview(rule: AlertDocument, asset?: string, signal?: AbortSignal): Promise<AlertPreview> {
    return this.#ask('POST', '/preview', {}, signal, { content: { alert: rule, ...(asset && { asset }) } })
  }

  /** Sends a test message to every channel of a rule, or to one, and waits for the answers. */
  test(
    alertId: string,
    { signal, ...which }: { readonly asset?: string; readonly channel?: string; readonly signal?: AbortSignal } = {},
  ): Promise<TestResults> {
    const path = `/${encodeURIComponent(alertId)}/test`
    return this.#ask('POST', path, {}, signal, { content: which, timeout: TEST_TIMEOUT })
  }

  /** Messages and what became of them. */
  deliveries({ signal, ...query }: DeliveryOptions = {}): Promise<DeliveryPage> {
    return this.#ask('GET', '/deliveries', query, signal)
  }

  /** Sends a message again that was delivered, given up or dropped; its alert keeps its id. */
  resend(deliveryId: string, signal?: AbortSignal): Promise<unknown> {
    return this.#ask('POST', `/deliveries/${encodeURIComponent(deliveryId)}/resend`, {}, signal)
  }

  /** Alerts, newest first; with a type of channel, those that went to such a one. */
  events({
    signal,
    ...query
  }: Pick<DeliveryOptions, 'limit' | 'before' | 'signal'> & {
    readonly channel?: AlertChannel['type']
  } = {}): Promise<AlertEventPage> {
    return this.#ask('GET', '/events', query, signal)
  }

  #change(
    method: string,
    path: string,
    rule: AlertDocument | undefined,
    { reason, author = this.#authorNow(), expectedVersion, requestId = randomId(), signal }: AlertChangeOptions = {},
  ): Promise<AlertChanged> {
    const content = {
      ...rule,
      author: author || undefined,
      reason: reason || undefined,
      expected_version: expectedVersion,
    }
    return this.#ask(method, path, {}, signal, { content, requestId })
  }

  #authorNow(): string | undefined {
    return typeof this.#author === 'function' ? this.#author() : this.#author
  }

  #ask<T>(method: string, path: string, query: Query, signal?: AbortSignal, asking: Asking = {}): Promise<T> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [[name, String(value)] as [string, string]],
    )
    const search = new URLSearchParams(given).toString()
    const url = this.#base + path + (search && `?${search}`)
    return ask(method, url, {}, { ...this.#options, ...asking, ...(signal && { signal }) })
  }
}
