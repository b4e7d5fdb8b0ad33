import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const ROOT = join(import.meta.dirname, '../../..')
const STOP_MS = 10_000
/** Without settings for Vivienne. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VIVIENNE_')))

/**
 * Starts `vivienne` without loading it each time: a process that has loaded it is forked, as in the Python tests.
 * There is one for each process that imports this, started when it is needed first. What it forked ends with it, and it
 * ends with its stdin, however the process that started it ends.
 */
class Forking {
  readonly #waiting: { resolve(answer: number | null): void; reject(error: Error): void }[] = []
  #process: ChildProcess | null = null

  /** Puts a question to it; the answers come in the order of the questions. */
  ask(question: unknown): Promise<number | null> {
    this.#process ??= this.#started()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#process?.stdin?.write(`${JSON.stringify(question)}\n`)
    })
  }

  #started(): ChildProcess {
    const program = [join(ROOT, 'tests/serving.py')]
    const started = spawn(join(ROOT, '.venv/bin/python'), ['-P', ...program], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: started.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(JSON.parse(line)))
    const gone = (what: unknown) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`tests/serving.py ended: ${what}`))
    }
    started.once('error', gone)
    started.once('exit', gone)
    // It must not keep a process that has nothing else to do.
    started.unref()
    for (const pipe of [started.stdin, started.stdout]) (pipe as unknown as { unref(): void }).unref()
    return started
  }
}

const forking = new Forking()

/** A running `vivienne`. */
export class Forked {
  readonly pid: number
  #code: number | null = null

  private constructor(pid: number) {
    this.pid = pid
  }

  /** Runs `vivienne` with these arguments; what it writes to stderr is in the log. */
  static async started(given: readonly string[], log: string, said?: string): Promise<Forked> {
    for (const file of [log, said]) if (file !== undefined) writeFileSync(file, '')
    const pid = await forking.ask({ arguments: given, environment, log, ...(said !== undefined && { said }) })
    return new Forked(Number(pid))
  }

  /** The exit code; null while it runs. */
  async poll(): Promise<number | null> {
    this.#code ??= await forking.ask({ ended: this.pid })
    return this.#code
  }

  /** Sends it a signal and waits until it has ended; false when it did not within ten seconds, and was killed. */
  async end(signal: NodeJS.Signals): Promise<boolean> {
    if ((await this.poll()) === null) process.kill(this.pid, signal)
    const late = Date.now() + STOP_MS
    while ((await this.poll()) === null) {
      if (Date.now() > late) {
        process.kill(this.pid, 'SIGKILL')
        return false
      }
      await delay(5)
    }
    return true
  }
}

/** Runs a command to its end; gives what it printed. */
export async function said(...given: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vivienne-command-'))
  const [log, output] = [join(folder, 'log'), join(folder, 'said')]
  try {
    const command = await Forked.started(given, log, output)
    while ((await command.poll()) === null) await delay(5)
    if ((await command.poll()) !== 0) throw new Error(`vivienne ${given.join(' ')}: ${readFileSync(log, 'utf8')}`)
    return readFileSync(output, 'utf8').trim()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
