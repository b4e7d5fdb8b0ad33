import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Acknowledgement,
  type PartialConfiguration,
  type RevisionEntry,
  VivienneRestClient,
  type WhoAsks,
} from 'vivienne-client'
import { VivienneRecord } from 'vivienne-client/record'
import { withToken } from 'vivienne-client/token'
import { Forked, said } from '../../clients/js/tests/forking.ts'
import { type Exchange, RunningExchange } from './exchange.ts'
import { recordedKlines, type Walk } from './recorded.ts'

const PYTHON = join(import.meta.dirname, '../../.venv/bin/python')
/** Who makes the changes that do not come from the browser, where tokens are needed. */
const OTHER = 'somebody-else'
const START_MS = 60_000
const LOCK_MS = 10_000

/** How a server is started. */
export interface Serving {
  /** Beyond port and database. */
  readonly flags?: readonly string[]
  /** Replays these instead of the simulated market. */
  readonly recorded?: Readonly<Record<string, Walk>>
  /** Follows this one instead of the simulated market. */
  readonly exchange?: Exchange
  /** Demands tokens, and has one for each of these names. */
  readonly tokens?: Readonly<Record<string, WhoAsks['role']>>
}

/** A real `vivienne serve` in a process of its own, on a port and with a database of its own. */
export class RunningServer {
  port = 0
  /** What others do, beside the browser. */
  rest = new VivienneRestClient()
  /** What it recorded. */
  record = new VivienneRecord()
  /** The exchange it follows, if it follows one. */
  exchange: RunningExchange | null = null
  readonly #tokens = new Map<string, string>()
  #flags: readonly string[]
  /** Assets whose whole replay takes a moment. */
  readonly #replayedAtOnce: readonly string[]
  readonly #folder = mkdtempSync(join(tmpdir(), 'vivienne-e2e-'))
  readonly #names: Serving['tokens']
  #process: Forked | null = null
  /** The version after the last reset; while it is the newest one, there is nothing to reset. */
  #untouched = 0

  private constructor({ flags = [], recorded = {}, tokens }: Serving) {
    this.#names = tokens && { ...tokens, [OTHER]: 'admin' }
    const data = Object.entries(recorded).flatMap(([asset, walk]) => {
      const file = join(this.#folder, `${asset}.csv`)
      writeFileSync(file, recordedKlines(walk))
      return ['--data', `${asset}=${file}`]
    })
    this.#replayedAtOnce = flags.join(' ').includes('--speed max') ? Object.keys(recorded) : []
    this.#flags = [
      ...flags,
      // Prices ten times a second would keep pages, and what watches them, busier than the tests themselves.
      ...(data.length === 0 ? ['--price-interval', '1'] : ['--feed', 'replay', ...data]),
      ...(tokens ? ['--require-token'] : []),
    ]
  }

  /** Starts one, and waits until it answers. */
  static async started(serving: Serving): Promise<RunningServer> {
    const server = new RunningServer(serving)
    try {
      if (serving.exchange !== undefined) await server.#follow(serving.exchange)
      for (const [name, role] of Object.entries(server.#names ?? {})) {
        server.#tokens.set(name, await said('token', 'create', name, '--role', role, '--db', server.#database))
      }
      await server.start()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  async #follow(given: Exchange): Promise<void> {
    this.exchange = await RunningExchange.started(given)
    const { name, bases } = given
    const feed = ['--feed', 'exchange', '--exchange', name, '--exchange-url', this.exchange.url, '--assets', bases]
    this.#flags = [...this.#flags, ...feed]
  }

  get url(): string {
    return `http://localhost:${this.port}`
  }

  /** Starts it; after {@link kill} at the same port with the same database. */
  async start(): Promise<void> {
    const flags = ['serve', '--port', String(this.port), '--db', this.#database, ...this.#flags]
    this.#process = await Forked.started(flags, this.#log)
    await this.#listens(this.#process)
    // A page that is open during a replay is drawn with every bar, which takes longer than most tests.
    for (const asset of this.#replayedAtOnce) await this.#logs(this.#process, `The replay of ${asset} has ended`)
    const token = this.#tokens.get(OTHER) ?? ''
    this.rest = new VivienneRestClient(this.url, withToken(token, { author: 'somebody else' }))
    this.record = new VivienneRecord(this.url, withToken(token, {}))
    await this.#servesDashboard()
  }

  /** SIGKILL: it cannot say goodbye to anybody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    await this.exchange?.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** A change somebody else makes. */
  change(config: PartialConfiguration, asset: string | null = null, reason = 'for a test'): Promise<Acknowledgement> {
    return this.rest.partialUpdate(config, { asset, reason })
  }

  /**
   * Keeps everybody else from writing to the database, as a full disk would.
   *
   * @returns what lets them write again
   */
  async lockStore(): Promise<() => Promise<void>> {
    const script = [
      'import sqlite3, sys',
      'store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)',
      "store.execute('BEGIN IMMEDIATE')",
      "print('locked', flush=True)",
      'sys.stdin.read()',
    ].join('\n')
    const holder = spawn(PYTHON, ['-c', script, join(this.#folder, 'vivienne.db')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ended = once(holder, 'exit')
    const [said] = await once(holder.stdout, 'data', { signal: AbortSignal.timeout(LOCK_MS) })
    if (String(said).trim() !== 'locked') throw new Error(`The store was not locked: ${said}`)
    return async () => {
      holder.stdin.end()
      await ended
    }
  }

  /** Everything as it is without any configuration and with nothing paused; the history stays. */
  async reset(): Promise<void> {
    const { history } = await this.rest.history({ limit: 1 })
    if ((history[0]?.version ?? 0) === this.#untouched) return
    const { pauses } = await this.rest.pauses()
    for (const { asset_symbol: asset } of pauses) await this.rest.resume({ asset, reason: 'a new test' })
    const { assets } = await this.rest.assets(1)
    for (const asset of [null, ...assets.map((one) => one.asset)]) {
      await this.rest.reset({ all: true }, { asset, reason: 'a new test' })
    }
    this.#untouched = (await this.lastChange()).version
  }

  /** The newest entry of the history, whatever layer. */
  async lastChange(): Promise<RevisionEntry> {
    const { history } = await this.rest.history({ limit: 1 })
    const [entry] = history
    if (entry === undefined) throw new Error('The history is empty')
    return entry
  }

  /** The token of a name. */
  token(name: string): string {
    const token = this.#tokens.get(name)
    if (token === undefined) throw new Error(`There is no token ${name}`)
    return token
  }

  /** Makes a token that can be revoked: its name is never good for another one. */
  async makeToken(name: string, role: WhoAsks['role']): Promise<void> {
    const headers = { Authorization: `Bearer ${this.token(OTHER)}`, 'Content-Type': 'application/json' }
    const body = JSON.stringify({ name, role })
    const made = await fetch(`${this.url}/auth/tokens`, { method: 'POST', headers, body })
    if (made.status !== 201) throw new Error(`${name} was not made: ${await made.text()}`)
    const { token } = (await made.json()) as { token: string }
    this.#tokens.set(name, token)
  }

  /** Makes a token good for nothing. */
  async revoke(name: string): Promise<void> {
    const headers = { Authorization: `Bearer ${this.token(OTHER)}` }
    const { status } = await fetch(`${this.url}/auth/tokens/${name}`, { method: 'DELETE', headers })
    if (status !== 200) throw new Error(`${name} was not revoked: ${status}`)
  }

  /** What the server wrote into its log so far. */
  get logged(): string {
    return readFileSync(this.#log, 'utf8')
  }

  get #database(): string {
    return join(this.#folder, 'vivienne.db')
  }

  get #log(): string {
    return join(this.#folder, 'log')
  }

  async #listens(started: Forked): Promise<void> {
    const [, port] = await this.#logs(started, /listens on http:\/\/\S+:(\d+)/)
    this.port = Number(port)
  }

  /** Waits until the server has written something into its log. */
  async #logs(started: Forked, what: string | RegExp): Promise<RegExpExecArray> {
    const pattern = new RegExp(what)
    const deadline = Date.now() + START_MS
    while (Date.now() < deadline && (await started.poll()) === null) {
      const found = pattern.exec(this.logged)
      if (found !== null) return found
      await delay(20)
    }
    throw new Error(`vivienne serve did not write ${pattern}:\n${this.logged}`)
  }

  async #servesDashboard(): Promise<void> {
    const page = await (await fetch(this.url)).text()
    if (!page.includes('id="root"')) throw new Error('The dashboard is not built; `make dashboard` builds it')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ending = this.#process
    this.#process = null
    if (ending !== null && !(await ending.end(signal))) throw new Error(`vivienne serve did not end after ${signal}`)
  }
}
