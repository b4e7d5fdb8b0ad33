import { ConfigCache, type ConfigStorage } from './cache.js'
import { VivienneWebSocketManager } from './connection.js'
import type { ManagerOptions } from './connection_types.js'
import { LogTail } from './logs.js'
import { type RestOptions, VivienneRestClient } from './rest.js'
import { StateStore } from './states.js'
import type { LogLevel } from './types.js'

/** Options of a client. */
export interface ClientOptions extends RestOptions, ManagerOptions {
  /** Address of the server; empty for the origin of the page. `http://localhost:8000` if left out. */
  readonly baseUrl?: string
  /** Keeps the last known configurations beyond the life of the page. */
  readonly persist?: ConfigStorage
}

/** Everything about one server. */
export interface VivienneClient {
  readonly baseUrl: string
  readonly connection: VivienneWebSocketManager
  readonly rest: VivienneRestClient
  readonly states: StateStore
  readonly configs: ConfigCache
  /** A tail of the log, not connected yet; with a level, records of that level and above. */
  logs(options?: { readonly level?: LogLevel }): LogTail
  /** Connects while anybody holds it. Returns what lets go; 1 s after the last has, the connection ends. */
  retain(): () => void
  /** Ends all connections. */
  close(): void
}

/** Long enough for the next page to take over the connection of the last one. */
const LINGER = 1000

/** Makes a client. Nothing is connected before {@link VivienneClient.retain} or a `connect`. */
export function createVivienneClient(options: ClientOptions = {}): VivienneClient {
  const rest = new VivienneRestClient(options.baseUrl, options)
  const streams = streamsOf(rest.baseUrl)
  const connection = new VivienneWebSocketManager(`${streams}/ws/state`, options)
  const states = new StateStore()
  const configs = new ConfigCache(options.persist)
  const tails = new Set<LogTail>()
  const holders = new Set<object>()
  let timer: ReturnType<typeof setTimeout> | undefined

  connection.on('asset_data', (state) => {
    const agent = state.agents.VivienneAgent
    if (agent) configs.set(state.asset, agent.config, state.config_version)
    states.receive(state)
  })
  connection.on('connection', ({ state, retryAt }) => {
    if (state === 'offline') configs.forgetVersions()
    // What broke this connection has likely broken those of the logs, which cannot tell it from silence.
    if (retryAt) for (const tail of tails) tail.renew()
  })
  return {
    baseUrl: rest.baseUrl,
    connection,
    rest,
    states,
    configs,
    logs({ level } = {}) {
      return new LogTail(`${streams}/ws/logs${level ? `?level=${level}` : ''}`, { ...options, connected: tails })
    },
    retain() {
      const holder = {}
      clearTimeout(timer)
      connection.connect()
      holders.add(holder)
      return () => {
        if (holders.delete(holder) && !holders.size) timer = setTimeout(() => connection.disconnect(), LINGER)
      }
    },
    close() {
      clearTimeout(timer)
      holders.clear()
      connection.disconnect()
      for (const tail of tails) tail.disconnect()
    },
  }
}

/** Base address of the WebSockets of a server. */
function streamsOf(baseUrl: string): string {
  const absolute = /^https?:/.test(baseUrl) ? baseUrl : (globalThis.location?.origin ?? '') + baseUrl
  return absolute.replace(/^http/, 'ws')
}
