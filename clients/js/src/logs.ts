import { VivienneWebSocketManager } from './connection.js'
import type { ConnectionSnapshot, ManagerOptions } from './connection_types.js'
import { Listeners } from './listeners.js'
import type { LogMessage } from './types.js'

/** A log record, with a number that grows. */
export type LogRecord = LogMessage & { readonly id: number }

/** Content of a tail at one moment. */
export interface LogSnapshot {
  /** The newest records, oldest first. */
  readonly records: readonly LogRecord[]
  /** Number of records the server skipped because they were not read fast enough. */
  readonly dropped: number
  readonly connection: ConnectionSnapshot
}

/** Options of a tail. */
export interface LogTailOptions extends ManagerOptions {
  /** Most records to hold; 5,000 if left out. */
  readonly capacity?: number
  /** Set that contains the tail while it is connected. */
  readonly connected?: Set<LogTail>
}

/** Number of past records the server sends to a new connection. */
const REPEATED = 200
/** Listeners are told at most this often, in ms. */
const INTERVAL = 100

/** The newest log records. A record that the server repeats after a reconnect is not added again. */
export class LogTail {
  readonly #manager: VivienneWebSocketManager
  readonly #listeners = new Listeners<void>()
  readonly #capacity: number
  readonly #connected: Set<LogTail> | undefined
  #snapshot: LogSnapshot
  /** Those of the snapshot, those that came since, and now and then some that are too old. */
  #records: LogRecord[] = []
  #dropped = 0
  #count = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** The last records that came, cleared ones too; and which of them may come again over this connection. */
  #recent: string[] = []
  #repeatable: string[] = []

  /** @param url - of `/ws/logs`, with `?level=` where wanted */
  constructor(url = 'ws://localhost:8000/ws/logs', options: LogTailOptions = {}) {
    this.#capacity = options.capacity ?? 5000
    this.#connected = options.connected
    this.#manager = new VivienneWebSocketManager(url, { ...options, staleAfter: Infinity, updates: 'states' })
    this.#snapshot = { records: [], dropped: 0, connection: this.#manager.getSnapshot() }
    this.#manager.on('log', (record) => this.#add(record))
    this.#manager.on('connection', (connection) => {
      if (connection.state === 'connecting') this.#repeatable = [...this.#recent]
      this.#publish({ connection })
    })
  }

  /** Connects, and stays connected until {@link disconnect}. */
  connect(): void {
    this.#manager.connect()
    this.#connected?.add(this)
  }

  /** Ends the connection; the records stay. */
  disconnect(): void {
    this.#connected?.delete(this)
    this.#manager.disconnect()
    this.#take()
  }

  /** Reconnects, if connected: silence does not tell whether the connection still works. */
  renew(): void {
    if (!this.#manager.ws) return
    this.#manager.disconnect()
    this.#manager.connect()
  }

  /** Current content; the same object until it changes. */
  getSnapshot(): LogSnapshot {
    return this.#snapshot
  }

  /** Tells when something changed, several records at once. Returns a function that ends it. */
  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Forgets the records. */
  clear(): void {
    this.#records = []
    this.#dropped = 0
    this.#take()
  }

  #add({ dropped = 0, ...record }: LogMessage): void {
    this.#dropped += dropped
    const key = JSON.stringify(record)
    const repeated = this.#repeatable.indexOf(key)
    if (repeated >= 0) {
      this.#repeatable.splice(repeated, 1)
      return
    }
    this.#recent = [...this.#recent.slice(1 - REPEATED), key]
    this.#records.push({ ...record, ...(dropped && { dropped }), id: ++this.#count })
    if (this.#records.length > 2 * this.#capacity) this.#records = this.#records.slice(-this.#capacity)
    this.#timer ??= setTimeout(() => this.#take(), INTERVAL)
  }

  #take(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#publish({ records: this.#records.slice(-this.#capacity), dropped: this.#dropped })
  }

  #publish(change: Partial<LogSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change }
    this.#listeners.tell()
  }
}
