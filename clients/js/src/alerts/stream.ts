import { VivienneWebSocketManager } from '../connection.js'
import type { ConnectionSnapshot, ManagerOptions } from '../connection_types.js'
import { Listeners } from '../listeners.js'
import type { AlertPushed } from '../types.js'

/** Options of a stream of alerts. */
export type AlertStreamOptions = ManagerOptions

interface Events {
  alert: AlertPushed
  connection: ConnectionSnapshot
}

/** Alerts for browsers as they come, over a connection that keeps itself. Silence on it says nothing. */
export class AlertStream {
  readonly #manager: VivienneWebSocketManager
  readonly #listeners = new Listeners<never>()

  /**
   * @param url - of `/ws/alerts`
   * @param options - those that `withToken` returns will do
   */
  constructor(url = 'ws://localhost:8000/ws/alerts', options: AlertStreamOptions = {}) {
    this.#manager = new VivienneWebSocketManager(url, { ...options, staleAfter: Infinity, updates: 'states' })
    this.#manager.on('message', (message) => {
      const pushed = message as unknown as AlertPushed
      if (pushed.type === 'alert') this.#listeners.tell(pushed as never, 'alert')
    })
    this.#manager.on('connection', (snapshot) => this.#listeners.tell(snapshot as never, 'connection'))
  }

  /** Connects, and stays connected until {@link disconnect}. */
  connect(): void {
    this.#manager.connect()
  }

  /** Ends the connection. */
  disconnect(): void {
    this.#manager.disconnect()
  }

  /** Reconnects, if connected: silence does not tell whether the connection still works. */
  renew(): void {
    if (!this.#manager.ws) return
    this.#manager.disconnect()
    this.#manager.connect()
  }

  /** State of the connection; the same object until it changes. */
  getSnapshot(): ConnectionSnapshot {
    return this.#manager.getSnapshot()
  }

  /** Listens to an event. Returns a function that ends it. */
  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => void): () => void {
    return this.#listeners.add(listener as never, event)
  }
}
