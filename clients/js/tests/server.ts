import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { VivienneRestClient } from '../src/index.js'
import { Forked, said } from './forking.js'

const START_MS = 50_000

/** A `vivienne serve` of its own, with a configuration that is gone when it is stopped. */
export class RunningServer {
  /** 0 until the first start; the same from then on. */
  port = 0
  readonly #folder = mkdtempSync(join(tmpdir(), 'vivienne-client-'))
  readonly #flags: readonly string[]
  #process: Forked | undefined

  /** @param flags - of `vivienne serve`, beyond port and database */
  constructor(...flags: string[]) {
    this.#flags = flags
  }

  /** Where REST is. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Where states are streamed. */
  get stateUrl(): string {
    return `ws://127.0.0.1:${this.port}/ws/state`
  }

  /** A token of its database; it must not run meanwhile. */
  async makeToken(name: string, role: 'viewer' | 'tuner' | 'admin'): Promise<string> {
    return said('token', 'create', name, '--role', role, '--db', this.#database)
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const flags = ['--port', `${this.port}`, '--db', this.#database, ...this.#flags]
    this.#process = await Forked.started(['serve', ...flags], this.#log)
    this.port = await this.#listening(this.#process)
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Asks it to end, and forgets its configuration. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #database(): string {
    return join(this.#folder, 'vivienne.db')
  }

  get #log(): string {
    return join(this.#folder, 'log')
  }

  /** The port it says it listens on. */
  async #listening(server: Forked): Promise<number> {
    const late = Date.now() + START_MS
    while (Date.now() < late && (await server.poll()) === null) {
      const port = /listens on http:\/\/\S+:(\d+)/.exec(readFileSync(this.#log, 'utf8'))?.[1]
      if (port) return Number(port)
      await setTimeout(20)
    }
    throw new Error(`vivienne serve did not come up:\n${readFileSync(this.#log, 'utf8')}`)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    await this.#process?.end(signal)
  }
}

let shared: Promise<RunningServer> | undefined

/** The server of all test files of this process that need no other one, with nothing set. It ends with the process. */
export async function sharedServer(): Promise<RunningServer> {
  shared ??= startServer()
  const server = await shared
  const rest = new VivienneRestClient(server.url)
  for (const asset of [null, 'BTC', 'ETH', 'SOL']) await rest.reset({ all: true }, { asset })
  return server
}

async function startServer(): Promise<RunningServer> {
  const server = new RunningServer()
  await server.start()
  return server
}
