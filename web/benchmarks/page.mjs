// Measures the dashboard in a real browser against a real server, and prints the figures:
// what the first load of each page weighs, what is rendered per state that arrives, what a fast log costs, and how the
// memory of a page grows.
//
//   npm run bench -w vivienne-dashboard -- [weight] [rendering] [logs] [memory] [--minutes 2] [--assets 50]
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { launch, serve } from '../scripts/running.mjs'
import { countFrames, countRenders, countStates } from './rendering.mjs'

const { values: options, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '2' }, assets: { type: 'string', default: '50' } },
})
const PAGES = ['/', '/assets/BTC?panel=configuration', '/configuration', '/history', '/logs']
const say = (text) => process.stdout.write(`${text}\n`)
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))

async function weigh(browser, url) {
  say('\nFirst load of a page, as it travels (gzip), kB')
  for (const path of PAGES) {
    const page = await browser.newPage()
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    const kinds = new Map()
    const types = new Map()
    session.on('Network.responseReceived', ({ requestId, type }) => types.set(requestId, type))
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const type = types.get(requestId)
      if (['Script', 'Stylesheet', 'Document', 'Font', 'Image'].includes(type)) {
        kinds.set(type, (kinds.get(type) ?? 0) + encodedDataLength)
      }
    })
    // Until nothing is on its way; three seconds after the start the other pages are fetched ahead.
    await page.goto(url + path, { waitUntil: 'networkidle' })
    const total = [...kinds.values()].reduce((sum, size) => sum + size, 0)
    const parts = [...kinds].map(([kind, size]) => `${kind.toLowerCase()} ${(size / 1000).toFixed(0)}`).join(', ')
    say(`  ${path.padEnd(34)} ${(total / 1000).toFixed(0).padStart(4)}   (${parts})`)
    await page.close()
  }
}

async function renders(browser, url, path, seconds = 20) {
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } })
  await page.addInitScript(countRenders)
  await page.addInitScript(countStates)
  await page.goto(url + path)
  await wait(4000)
  const read = () =>
    page.evaluate(() => ({ ...window.__counted, byName: { ...window.__counted.byName }, states: window.__states }))
  const before = await read()
  await wait(seconds * 1000)
  const after = await read()
  const states = after.states - before.states
  const components = after.components - before.components
  const most = Object.entries(after.byName)
    .map(([name, count]) => [name, count - (before.byName[name] ?? 0)])
    .sort((one, other) => other[1] - one[1])
    .slice(0, 4)
    .map(([name, count]) => `${name} ${(count / states).toFixed(2)}`)
  say(
    `  ${path.padEnd(34)} ${(states / seconds).toFixed(0).padStart(4)} states/s: ${(components / states).toFixed(2)} components` +
      ` rendered per state, ${((after.commits - before.commits) / states).toFixed(2)} commits (most: ${most.join(', ')})`,
  )
  await page.close()
}

async function memory(browser, url, path, minutes) {
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } })
  await page.addInitScript(countStates)
  await page.goto(url + path)
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const read = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    const { metrics } = await session.send('Performance.getMetrics')
    const nodes = metrics.find(({ name }) => name === 'Nodes')?.value ?? 0
    return { heap: usedSize / 1e6, nodes, states: await page.evaluate(() => window.__states) }
  }
  await wait(15_000)
  const rounds = Math.min(12, Math.max(2, Math.round(minutes)))
  for (let round = 0; round <= rounds; round++) {
    const { heap, nodes, states } = await read()
    const minute = ((round * minutes) / rounds).toFixed(1).padStart(5)
    say(`  ${path.padEnd(34)} after ${minute} min: heap ${heap.toFixed(1)} MB, ${nodes} DOM nodes, ${states} states`)
    if (round < rounds) await wait((minutes / rounds) * 60_000)
  }
  await page.close()
}

/** What a stream of log lines costs the page, beside none. */
async function logs(browser, url, rate, seconds = 15) {
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } })
  await page.addInitScript(countFrames)
  let lines = 0
  await page.routeWebSocket('**/ws/logs*', (socket) => {
    const begin = performance.now()
    const timer = setInterval(() => {
      for (const due = ((performance.now() - begin) * rate) / 1000; lines < due; lines++) {
        const message = `Line ${lines}: the configuration of BTC is at version ${lines % 97}`
        const level = ['debug', 'info', 'warning', 'error'][lines % 4]
        socket.send(
          JSON.stringify({ type: 'log', timestamp: new Date().toISOString(), level, logger: 'vivienne.live', message }),
        )
      }
    }, 10)
    socket.onClose(() => clearInterval(timer))
  })
  await page.goto(`${url}/logs`)
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  await wait(5000)
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration').value
  }
  const [busyBefore, linesBefore] = [await busy(), lines]
  await page.evaluate(() => window.__frames.splice(0))
  await wait(seconds * 1000)
  const frames = (await page.evaluate(() => window.__frames)).sort((one, other) => one - other)
  const share = ((await busy()) - busyBefore) / seconds
  const at = (part) => frames[Math.floor(frames.length * part)].toFixed(1)
  say(
    `  ${String(Math.round((lines - linesBefore) / seconds)).padStart(5)} lines/s: main thread busy ${(share * 100).toFixed(0)} %, ` +
      `frame p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`,
  )
  await page.close()
}

const MEASURES = {
  weight: async (browser, few) => weigh(browser, few.url),
  rendering: async (browser, few, many) => {
    say('\nRendering, 3 assets')
    await renders(browser, few.url, '/')
    await renders(browser, few.url, '/assets/BTC?panel=configuration')
    say(`Rendering, ${options.assets} assets`)
    await renders(browser, many.url, '/')
    await renders(browser, many.url, '/assets/BTC?panel=configuration')
    await renders(browser, many.url, '/configuration')
  },
  logs: async (browser, few) => {
    say('\nLogs')
    for (const rate of [0, 1000]) await logs(browser, few.url, rate)
  },
  memory: async (browser, few, many) => {
    say('\nMemory')
    const minutes = Number(options.minutes)
    await Promise.all([
      memory(browser, few.url, '/assets/BTC?panel=configuration', minutes),
      memory(browser, many.url, '/', minutes),
    ])
  },
}

const running = []
const started = (thing) => {
  running.push(thing)
  return thing
}
try {
  const browser = started(await launch())
  const few = started(await serve(3))
  const many = started(await serve(Number(options.assets)))
  say(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Chromium ${browser.version()}`)
  for (const [name, measure] of Object.entries(MEASURES)) {
    if (chosen.length === 0 || chosen.includes(name)) await measure(browser, few, many)
  }
} finally {
  await Promise.all(running.map((thing) => thing.close()))
}
