import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = process.env.VIVIENNE_BIN ?? fileURLToPath(new URL('../../../.venv/bin/vivienne', import.meta.url))
/** Without settings for Vivienne. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VIVIENNE_')))
const START_SECONDS = 25
const STOP_SECONDS = 10

/** A `vivienne serve` of its own, with a configuration that is gone when it is stopped. */
export class RunningServer {
  /** 0 until the first start; the same from then on. */
  port = 0
  readonly #folder = mkdtempSync(join(tmpdir(), 'vivienne-client-'))
  readonly #flags: readonly string[]
  #process: ChildProcess | undefined

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
    const made = await promisify(execFile)(PROGRAM, ['token', 'create', name, '--role', role, '--db', this.#database], {
      env: ENVIRONMENT,
    })
    return made.stdout.trim()
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const place = ['--port', `${this.port}`, '--db', this.#database]
    const child = spawn(PROGRAM, ['serve', ...place, ...this.#flags], {
      env: ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    process.once('exit', () => child.kill('SIGKILL'))
    this.port = await listening(child)
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

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await Promise.race([ended, setTimeout(STOP_SECONDS * 1000, undefined, { ref: false })])
    child.kill('SIGKILL')
    await ended
  }
}

/** Starts a server. */
export async function startServer(...flags: string[]): Promise<RunningServer> {
  const server = new RunningServer(...flags)
  await server.start()
  return server
}

/** The port a server says it listens on. */
async function listening(child: ChildProcess): Promise<number> {
  let log = ''
  const found = new Promise<number>((resolve) => {
    child.stderr?.on('data', (text: Buffer) => {
      log = (log + text).slice(-10_000)
      const port = /listens on http:\/\/\S+:(\d+)/.exec(log)?.[1]
      if (port) resolve(Number(port))
    })
  })
  const given = new AbortController()
  const { signal } = given
  const ended = once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`it ended with ${code}`)))
  const late = setTimeout(START_SECONDS * 1000, undefined, { signal }).then(() =>
    Promise.reject(new Error('nothing came')),
  )
  try {
    return await Promise.race([found, ended, late])
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`${PROGRAM} serve did not come up: ${error}\n${log}`)
  } finally {
    given.abort()
    await Promise.allSettled([ended, late])
  }
}
