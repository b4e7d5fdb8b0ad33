import type { ConnectionSnapshot, ServerMessage } from 'vivienne-client'
import type { ServerClock } from './ServerClock.ts'
import type { SteadyClock } from './SteadyClock.ts'

/** When things came, by the steady clock, in ms. */
export class Arrivals {
  readonly #clock: SteadyClock
  readonly #server: ServerClock
  /** Assets of which a state came over this connection and subscription: the first one may have been kept for a while. */
  readonly #followed = new Set<string>()
  /** When the last message came. */
  lastMessage: number | null = null
  /** Time that the newest state took from the server to here; null before there is one that was sent when it was made. */
  delay: number | null = null
  /** When the connection got the state it is in. */
  since: number
  /** When the next attempt to connect is due; null while none is. */
  retry: number | null = null
  #state: ConnectionSnapshot['state'] = 'offline'

  constructor(clock: SteadyClock, server: ServerClock) {
    this.#clock = clock
    this.#server = server
    this.since = clock.now()
  }

  received(message: ServerMessage): void {
    const now = this.#clock.now()
    this.lastMessage = now
    // What is sent after a subscription may have been kept for a while.
    if (message.type === 'subscribe_response') this.#followed.clear()
    const time = Date.parse(timestampOf(message))
    if (Number.isNaN(time)) return
    this.#server.heard(time)
    if (message.type !== 'asset_data' && message.type !== 'asset_changed') return
    if (this.#followed.has(message.asset)) this.delay = Math.max(0, (this.#server.now() ?? time) - time)
    else this.#followed.add(message.asset)
  }

  changed({ state, retryAt }: ConnectionSnapshot): void {
    const now = this.#clock.now()
    if (state === 'connecting') {
      this.#followed.clear()
      this.delay = null
    }
    if (state !== this.#state) this.since = now
    this.#state = state
    this.retry = retryAt === null ? null : now + (retryAt - Date.now())
  }
}

/** When the server sent a message, as far as that says so; log records are older. */
function timestampOf(message: ServerMessage): string {
  if (message.type === 'asset_changed') return String(message.patch.timestamp)
  return 'timestamp' in message && message.type !== 'log' ? message.timestamp : ''
}
