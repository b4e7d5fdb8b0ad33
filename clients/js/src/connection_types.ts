import type {
  AssetData,
  ConfigPreviewResponse,
  ConfigUpdateResponse,
  ControlResponse,
  ErrorMessage,
  LogMessage,
  ServerMessage,
  SubscribeResponse,
  SwitchResponse,
} from './types.js'

/**
 * `offline`: not wanted, or waiting for the next attempt. `connecting`: the socket is opening, or open and nothing came
 * yet. `live`: data keeps coming. `stale`: connected, and silent for longer than `staleAfter`. `refused`: the
 * server does not let this client in; nothing more is tried before the next `connect`.
 */
export type ConnectionState = 'offline' | 'connecting' | 'live' | 'stale' | 'refused'

/** State of a connection at one moment. Times are those of `Date.now()`. */
export interface ConnectionSnapshot {
  readonly state: ConnectionState
  /** When the state last changed. */
  readonly since: number
  /** When the last message came, to the second: a new snapshot for every message would be a lot. */
  readonly lastMessageAt: number | null
  /** Attempts since data last arrived. */
  readonly reconnectAttempts: number
  /** When the next attempt will be, while waiting for it. */
  readonly retryAt: number | null
  /** Reason why it is not live, for a person. */
  readonly reason: string | null
}

/** Required interface of a WebSocket. Those of browsers and of the package `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number
  send(data: string): void
  close(): void
  addEventListener(type: never, listener: never): void
}

/** A class of WebSockets. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

/** Options of a connection. Times are in ms. */
export interface ManagerOptions {
  /**
   * Silence after which the connection is stale; after twice that time the client reconnects. 15,000 if left out. With Infinity
   * silence says nothing, as with logs: an open connection is live, and never stale.
   */
  readonly staleAfter?: number
  /** Bound of the first delay before reconnecting; it doubles with each attempt. 500 if left out. */
  readonly firstDelay?: number
  /** Bound of every delay before reconnecting. 30,000 if left out. */
  readonly longestDelay?: number
  /** Longest time for opening. 10,000 if left out. */
  readonly connectTimeout?: number
  /** Longest time for an answer. 10,000 if left out. */
  readonly answerTimeout?: number
  /**
   * How the server sends states: `changes`, what changed since the one before, which takes a fraction of the bytes, or
   * `states`, each one whole. Events have whole states either way. `changes` if left out; a server that does not know
   * them sends whole states.
   */
  readonly updates?: 'changes' | 'states'
  /** For Node before 22: that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor
  /** From 0 to 1; for tests. */
  readonly random?: () => number
}

/** Events by name. */
export interface Events {
  connection: ConnectionSnapshot
  /** Every message, before anything is made of it. */
  message: ServerMessage
  /** A state that is newer than the one before. */
  asset_data: AssetData
  /** Number of states that were skipped because this client was too slow. */
  gap: { readonly asset: string; readonly missed: number }
  log: LogMessage
  /** An error that answers no request under way. */
  error: ErrorMessage
  config_update_response: ConfigUpdateResponse | ConfigPreviewResponse
  control_response: ControlResponse | SwitchResponse
  pause_response: SwitchResponse
  resume_response: SwitchResponse
  subscribe_response: SubscribeResponse
}
