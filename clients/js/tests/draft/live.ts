import { vi } from 'vitest'
import { WebSocket } from 'ws'
import { type ClientOptions, createVivienneClient, type VivienneClient } from '../../src/index.js'
import { type RunningServer, sharedServer } from '../server.js'

/** A real server, and clients for it. */
export class LiveServer {
  readonly #server: RunningServer

  private constructor(server: RunningServer) {
    this.#server = server
  }

  static async start(): Promise<LiveServer> {
    return new LiveServer(await sharedServer())
  }

  get url(): string {
    return this.#server.url
  }

  client(options: ClientOptions = {}): VivienneClient {
    return createVivienneClient({ baseUrl: this.url, WebSocket, ...options })
  }
}

/** What becomes true soon. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, interval: 20 })
}
