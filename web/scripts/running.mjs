// A server and a browser for the benchmarks and the pictures.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from '@playwright/test'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A server of its own on a free port; gives its address and what stops it. */
export async function serve(count, ...more) {
  const folder = mkdtempSync(join(tmpdir(), 'vivienne-bench-'))
  const names = ['BTC', 'ETH', 'SOL', ...Array.from({ length: count }, (_, number) => `A${number}`)].slice(0, count)
  const flags = ['serve', '--port', '0', '--db', join(folder, 'vivienne.db'), '--assets', names.join(','), ...more]
  const server = spawn(join(root, '.venv/bin/vivienne'), flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  const url = await new Promise((resolve, reject) => {
    let log = ''
    const timer = setTimeout(() => {
      server.kill('SIGTERM')
      reject(new Error(`the server did not start:\n${log}`))
    }, 60_000)
    server.stderr.on('data', (chunk) => {
      log = (log + chunk).slice(-4000)
      const found = /listens on (http:\/\/[^ ]+)/.exec(log)
      if (!found) return
      clearTimeout(timer)
      resolve(found[1])
    })
  })
  return {
    url,
    close: async () => {
      const ended = new Promise((done) => server.once('exit', done))
      server.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A Chromium that speaks to nobody but the pages it is sent to. */
export function launch() {
  const executablePath = execFileSync('sh', [join(root, 'scripts/program.sh'), 'chromium'], { encoding: 'utf8' }).trim()
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
