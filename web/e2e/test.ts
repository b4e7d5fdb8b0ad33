import { type BrowserContext, type BrowserContextOptions, test as base, type Page } from '@playwright/test'
import { RunningServer, type Serving } from './server.ts'
import { StateStream } from './stream.ts'
import { Watch } from './watch.ts'

export { expect, type Locator, type Page } from '@playwright/test'

interface Options {
  /** How the server is started. Each worker has one for each way, which is reset before each test. */
  readonly serving: Serving
}

interface Fixtures {
  readonly server: RunningServer
  /** Sees to it that the console stays empty and nothing leaves the server. */
  readonly watch: Watch
  /** What the page receives over `/ws/state`. */
  readonly stream: StateStream
  /** Another browser, with a storage of its own. */
  readonly anotherWindow: (options?: BrowserContextOptions) => Promise<Page>
}

/** Those of one worker, by how they were started. */
type Servers = Map<string, RunningServer>

interface WorkerFixtures {
  readonly servers: Servers
}

export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  serving: [{ flags: ['--assets', 'BTC,ETH,SOL'] }, { option: true }],

  servers: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what is needed from the pattern
    async ({}, use) => {
      const servers: Servers = new Map()
      await use(servers)
      for (const server of servers.values()) await server.stop()
    },
    { scope: 'worker' },
  ],

  server: async ({ serving, servers }, use) => {
    const way = JSON.stringify(serving)
    const found = servers.get(way)
    await found?.reset()
    const server = found ?? (await RunningServer.started(serving))
    servers.set(way, server)
    await use(server)
  },

  baseURL: async ({ server }, use) => use(server.url),

  watch: async ({ server }, use) => {
    const watch = new Watch(server.url)
    await use(watch)
    watch.verdict()
  },

  context: async ({ context, watch }, use) => {
    watch.over(context)
    await use(context)
  },

  stream: async ({ page }, use) => use(new StateStream(page)),

  anotherWindow: async ({ browser, contextOptions, watch, server }, use) => {
    const opened: BrowserContext[] = []
    await use(async (options) => {
      const context = await browser.newContext({ ...contextOptions, baseURL: server.url, ...options })
      opened.push(context)
      watch.over(context)
      return context.newPage()
    })
    for (const context of opened) await context.close()
  },
})
