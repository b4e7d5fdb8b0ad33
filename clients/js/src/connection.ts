import { reconnectDelay } from './backoff.js'
import type { ConnectionSnapshot, Events, ManagerOptions, WebSocketConstructor } from './connection_types.js'
import { problemOf, VivienneError, VivienneTimeout, VivienneUnreachable } from './errors.js'
import { Listeners } from './listeners.js'
import { patched } from './patch.js'
import { given } from './paths.js'
import { randomId } from './request_id.js'
import { Silence } from './silence.js'
import type {
  Answer,
  AssetChanged,
  AssetData,
  ConfigUpdate,
  Control,
  ErrorMessage,
  LogMessage,
  Pause,
  Resume,
  ServerMessage,
  Subscribe,
} from './types.js'

interface Waiting {
  readonly text: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: VivienneError) => void
  readonly timer: ReturnType<typeof setTimeout>
}

const OPEN = 1
/** The code the server closes with when a token was revoked. To try again would change nothing. */
const REFUSED = 1008
const UNTROUBLED = { reconnectAttempts: 0, retryAt: null, reason: null }
const MOST_WAITING = 256
const PASSED_ON = /^(log|error|.+_response)$/

/**
 * A connection to the state stream that keeps itself: it reconnects with growing, random delays, notices when it has
 * gone silent, and delivers each state once and none that is older than the one before.
 */
export class VivienneWebSocketManager {
  readonly url: string
  /** The socket that is opening or open. */
  ws: WebSocket | null = null

  readonly #options: Required<Omit<ManagerOptions, 'WebSocket'>> & Pick<ManagerOptions, 'WebSocket'>
  readonly #listeners = new Listeners<never>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #last = new Map<string, AssetData>()
  /** Assets of which a state came over this connection and subscription: their next ones follow on it. */
  readonly #followed = new Set<string>()
  /** The last states that the server sent over this connection: changes start from them. */
  readonly #sent = new Map<string, AssetData>()
  readonly #silence: Silence
  /** The `request_id` of subscriptions that nobody asked for. */
  readonly #own = randomId()
  /** True until the server answers such a subscription. */
  #isAsking = false
  /** What a subscription says of changes; nothing if this server has refused it. */
  #updates: Pick<Subscribe, 'updates'> = {}
  #snapshot: ConnectionSnapshot = {
    state: 'offline',
    since: Date.now(),
    lastMessageAt: null,
    ...UNTROUBLED,
  }
  /** There while a connection is wanted. */
  #Socket: WebSocketConstructor | undefined
  /** The one thing that is due: the next attempt, the end of a slow one, or what follows from silence. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #assets: readonly string[] | null = null

  /** @param url - of `/ws/state` or `/ws/logs` */
  constructor(url = 'ws://localhost:8000/ws/state', options: ManagerOptions = {}) {
    this.url = url
    this.#options = {
      staleAfter: 15_000,
      firstDelay: 500,
      longestDelay: 30_000,
      connectTimeout: 10_000,
      answerTimeout: 10_000,
      random: Math.random,
      updates: 'changes',
      ...given(options),
    }
    this.#silence = new Silence(this.#options.staleAfter)
  }

  /** Attempts since data last arrived. */
  get reconnectAttempts(): number {
    return this.#snapshot.reconnectAttempts
  }

  /** State of the connection; the same object until it changes. */
  getSnapshot(): ConnectionSnapshot {
    return this.#snapshot
  }

  /** Listens to an event. Returns a function that ends it. */
  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => void): () => void {
    return this.#listeners.add(listener, event)
  }

  /**
   * Connects, and stays connected until {@link disconnect}. Once is enough.
   *
   * @throws {@link VivienneError} where there are no WebSockets
   */
  connect(): void {
    if (this.#Socket) return
    this.#Socket = this.#options.WebSocket ?? globalThis.WebSocket
    if (!this.#Socket) throw new VivienneError('No WebSocket in this environment; pass that of the package ws')
    this.#wakeBy('addEventListener')
    this.#open()
  }

  /** Ends the connection, or the wait for the next attempt. */
  disconnect(): void {
    if (!this.#Socket) return
    this.#Socket = undefined
    this.#wakeBy('removeEventListener')
    const { ws } = this
    // A browser complains about a socket that is closed while it opens.
    if (ws && !ws.readyState) {
      this.ws = null
      ws.addEventListener('open', () => ws.close())
    }
    this.#drop('disconnected')
    this.#change({ state: 'offline', ...UNTROUBLED })
  }

  /**
   * Narrows the stream to some assets, now and after each reconnect; `['*']` widens it to all. If the server refuses,
   * as it does when an asset does not exist, there is an `error` event and the subscription is forgotten.
   */
  subscribe(assets: readonly string[]): void {
    this.#watch(assets)
    this.#sendSubscription()
  }

  /**
   * Sends a message and waits for its answer. While the connection is opening, it is sent as soon as it is open; not so
   * a resumption, for it would end a pause that somebody makes in that time.
   *
   * @param message - gets a random `request_id` unless it has one
   * @param timeout - in ms
   * @throws {@link VivienneProblem} if the server refuses; {@link VivienneTimeout} if no answer comes in time;
   * {@link VivienneUnreachable} if there is no connection, or it breaks before the answer
   */
  async request(
    message: ConfigUpdate | Control | Pause | Resume | Subscribe,
    timeout = this.#options.answerTimeout,
  ): Promise<Answer> {
    const id = message.request_id ?? randomId()
    const { ws } = this
    if (
      !ws ||
      ((message.type === 'control' ? message.strategy : message.type) === 'resume' && ws.readyState !== OPEN)
    ) {
      const reason = this.#snapshot.reason ?? (ws ? 'still connecting' : 'call connect()')
      throw new VivienneUnreachable(`Not connected to ${this.url}: ${reason}`, id)
    }
    if (this.#waiting.has(id) || this.#waiting.size >= MOST_WAITING) {
      throw new VivienneError(`Already waiting for ${id}, or for too many`, id)
    }
    const isSubscription = message.type === 'subscribe'
    if (isSubscription) this.#watch(message.assets)
    const text = JSON.stringify({ ...(isSubscription && this.#updates), ...message, request_id: id })
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new VivienneTimeout(`No answer within ${seconds(timeout)}`, id))
      }, timeout)
      this.#waiting.set(id, { text, resolve, reject, timer })
      this.#send(text)
    })
  }

  #open(): void {
    clearTimeout(this.#timer)
    const { connectTimeout } = this.#options
    let socket: WebSocket
    try {
      socket = new (this.#Socket as WebSocketConstructor)(this.url) as WebSocket
    } catch (error) {
      this.#broken(`${error}`)
      return
    }
    this.ws = socket
    this.#followed.clear()
    this.#sent.clear()
    this.#isAsking = false
    this.#updates = this.#options.updates === 'changes' ? { updates: 'changes' } : {}
    let opened = false
    const on = <K extends keyof WebSocketEventMap>(type: K, react: (event: WebSocketEventMap[K]) => void) =>
      socket.addEventListener(type, (event) => {
        // A socket that was given up may still have something to say.
        if (this.ws === socket) react(event)
      })
    on('open', () => {
      opened = true
      this.#opened()
    })
    on('message', ({ data }) => {
      try {
        this.#heard(data)
      } catch (error) {
        // Not of a listener. In Node it would end the process.
        this.#broken(`the server sent a message that cannot be read (${error})`)
      }
    })
    // `close` says the same; the package ws throws errors without a listener.
    on('error', () => {})
    on('close', ({ code, reason }) => {
      const why = reason ? `${code}: ${reason}` : code
      if (code === REFUSED) {
        this.disconnect()
        this.#change({ state: 'refused', reason })
      } else
        this.#broken(opened ? `the server closed the connection (${why})` : `no connection to ${this.url} (${why})`)
    })
    this.#timer = setTimeout(() => this.#broken(`no connection within ${seconds(connectTimeout)}`), connectTimeout)
    this.#change({ state: 'connecting', retryAt: null })
  }

  #opened(): void {
    const { staleAfter, connectTimeout } = this.#options
    if (this.#assets) this.#sendSubscription()
    else if (this.#updates.updates) this.#askForStates()
    for (const { text } of this.#waiting.values()) this.#send(text)
    this.#awaitData()
    if (staleAfter < Infinity) return
    // Data may never come; that the connection holds for a while has to be enough.
    this.#timer = setTimeout(() => this.#change(UNTROUBLED), connectTimeout)
    this.#change({ state: 'live', reason: null })
  }

  #heard(data: unknown): void {
    let message: ServerMessage | null
    try {
      message = JSON.parse(data as string)
    } catch {
      return
    }
    if (!message?.type) return
    this.#awaitData()
    const { state, lastMessageAt } = this.#snapshot
    const now = Date.now()
    if (state !== 'live' || this.reconnectAttempts || Math.abs(now - Number(lastMessageAt)) >= 1000) {
      this.#change({ state: 'live', lastMessageAt: now, ...UNTROUBLED })
    }
    for (const asset of this.#silence.heard(now)) this.#lost(asset)
    this.#tell('message', message)
    if (message.type === 'asset_data') this.#receive(message)
    else if (message.type === 'asset_changed') this.#apply(message)
    else if (PASSED_ON.test(message.type) && !this.#refused(message) && !this.#settle(message))
      this.#tell(message.type, message as never)
  }

  /** Delivers the last state of an asset once more, as one that cannot be relied on. */
  #lost(asset: string): void {
    this.#followed.delete(asset)
    const last = this.#last.get(asset)
    if (this.#assets && !this.#assets.includes(asset)) return
    const shown = last && this.#silence.shown(last)
    if (shown) this.#tell('asset_data', shown)
  }

  /** Makes the next state of the last one, or asks for a whole one if that is not here. */
  #apply({ asset, base_seq, patch }: AssetChanged): void {
    const last = this.#sent.get(asset)
    if (last?.seq === base_seq) this.#receive(patched(last, patch) as AssetData)
    else if (!this.#isAsking) this.#askForStates()
  }

  /** Looks at the answer to a subscription. True if nobody else needs it. */
  #refused(message: Answer | ErrorMessage | LogMessage): boolean {
    const { request_id: id = '' } = message as Answer
    const isOwn = id === this.#own
    if (isOwn) this.#isAsking = false
    if (message.type !== 'error' || message.in_reply_to !== 'subscribe') return isOwn
    if (message.errors.some(({ path }) => path === 'updates')) {
      // A server of an earlier version.
      this.#updates = {}
      const { text } = this.#waiting.get(id) ?? {}
      if (text) this.#send(JSON.stringify({ ...JSON.parse(text), updates: undefined }))
      else this.#sendSubscription()
      return true
    }
    // A subscription with unknown assets is refused; the former one stays.
    this.#assets = null
    return false
  }

  /** Delivers a state if it is new. */
  #receive(state: AssetData): void {
    const { asset, seq, timestamp } = state
    this.#sent.set(asset, state)
    if (this.#assets && !this.#assets.includes(asset)) return
    const last = this.#last.get(asset)
    const follows = this.#followed.has(asset)
    this.#followed.add(asset)
    const wasSilent = this.#silence.came(asset)
    if (last && !wasSilent && (follows ? seq <= last.seq : seq === last.seq && timestamp === last.timestamp)) return
    this.#last.set(asset, state)
    const missed = last && follows ? seq - last.seq - 1 : 0
    if (missed) this.#tell('gap', { asset, missed })
    this.#tell('asset_data', state)
  }

  /** Hands an answer to its request. False if no request waits for it, and for errors. */
  #settle(message: Answer | ErrorMessage | LogMessage): boolean {
    const { request_id: id = '' } = message as Answer
    const waiting = this.#waiting.get(id)
    if (!waiting) return false
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    const refused = message.type === 'error'
    if (refused) waiting.reject(problemOf(message))
    else waiting.resolve(message as Answer)
    return refused
  }

  #watch(assets: readonly string[]): void {
    this.#assets = assets.includes('*') ? null : assets.map((asset) => asset.toUpperCase())
    // States that a narrower subscription left out are not a gap.
    this.#followed.clear()
  }

  #sendSubscription(more: Partial<Subscribe> = {}): void {
    this.#send(JSON.stringify({ type: 'subscribe', assets: this.#assets ?? ['*'], ...this.#updates, ...more }))
  }

  #askForStates(): void {
    this.#isAsking = true
    this.#sendSubscription({ request_id: this.#own })
  }

  #send(text: string): void {
    if (this.ws?.readyState === OPEN) this.ws.send(text)
  }

  /** From now on silence counts. */
  #awaitData(): void {
    const { staleAfter } = this.#options
    clearTimeout(this.#timer)
    if (staleAfter === Infinity) return
    this.#timer = setTimeout(() => {
      if (this.#over()) {
        this.#awaitData()
        return
      }
      this.#timer = setTimeout(() => this.#broken(`nothing came for ${seconds(2 * staleAfter)}`), staleAfter)
      this.#change({ state: 'stale', reason: `nothing came for ${seconds(staleAfter)}` })
    }, staleAfter)
  }

  /** True if nothing more is to be expected: every asset that is watched has ended. */
  #over(): boolean {
    const agents = [...this.#followed].flatMap((asset) => Object.values(this.#last.get(asset)?.agents ?? {}))
    return agents.length > 0 && agents.every((agent) => agent?.data?.status === 'ended')
  }

  #broken(reason: string): void {
    const { firstDelay, longestDelay, random } = this.#options
    const attempts = this.reconnectAttempts
    const delay = reconnectDelay(attempts, firstDelay, longestDelay, random)
    this.#drop(reason)
    this.#timer = setTimeout(() => this.#open(), delay)
    this.#change({ state: 'offline', reconnectAttempts: attempts + 1, retryAt: Date.now() + delay, reason })
  }

  #drop(reason: string): void {
    clearTimeout(this.#timer)
    const { ws } = this
    this.ws = null
    ws?.close()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const [id, { timer, reject }] of waiting) {
      clearTimeout(timer)
      reject(new VivienneUnreachable(`No answer: ${reason}`, id))
    }
  }

  /** The network is back, or the page is looked at: no reason to wait any longer. */
  #wake = ({ type }: Event): void => {
    if (this.#Socket && !this.ws && (type === 'online' || document.visibilityState === 'visible')) this.#open()
  }

  #wakeBy(verb: 'addEventListener' | 'removeEventListener'): void {
    globalThis[verb]?.('online', this.#wake)
    globalThis.document?.[verb]('visibilitychange', this.#wake)
  }

  #change(change: Partial<ConnectionSnapshot>): void {
    const { state, since } = this.#snapshot
    this.#snapshot = { ...this.#snapshot, since: (change.state ?? state) === state ? since : Date.now(), ...change }
    this.#tell('connection', this.#snapshot)
  }

  #tell<E extends keyof Events>(event: E, payload: Events[E]): void {
    this.#listeners.tell(payload as never, event)
  }
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`
}
