import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const START_MS = 30_000

export interface Exchange {
  readonly name: string
  /** Base currencies, with commas between. */
  readonly bases: string
  /** Seconds of the exchange in a second. */
  readonly pace: number
}

/** The tests' exchange, in a process of its own. */
export class RunningExchange {
  readonly url: string
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, url: string) {
    this.#process = process
    this.url = url
  }

  static async started({ name, bases, pace }: Exchange): Promise<RunningExchange> {
    const process = spawn(
      join(ROOT, '.venv/bin/python'),
      [join(ROOT, 'tests/serve_exchange.py'), name, bases, String(pace)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    const [said] = await once(process.stdout, 'data', { signal: AbortSignal.timeout(START_MS) })
    return new RunningExchange(process, String(said).trim())
  }

  /** Breaks every connection off, and is gone until a minute of the market is over that nobody heard. */
  leaveForAMinute(): void {
    this.#process.stdin?.write('\n')
  }

  /** Ends it for good. */
  async end(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.stdin?.end()
    await ended
  }
}
