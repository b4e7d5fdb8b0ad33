import { test as base, type Page } from '@playwright/test'
import { RunningServer, type Serving } from './server.ts'
import { SharedContexts } from './sharedContext.ts'
import { StateStream } from './stream.ts'
import { Watch } from './watch.ts'

export { expect, type Locator, type Page, type Request } from '@playwright/test'

interface Options {
  /** How the server is started. Each worker has one for each way, which is reset before each test. */
  readonly serving: Serving
  /** In which of the windows of a worker the page is; the pages of one follow each other in the same process. */
  readonly window: string
}

interface Fixtures {
  readonly server: RunningServer
  /** Sees to it that the console stays empty and nothing leaves the server. */
  readonly watch: Watch
  /** What the page receives over `/ws/state`. */
  readonly stream: StateStream
  /** A page of somebody else, with a storage of its own. */
  readonly anotherWindow: Page
}

/** Those of one worker, by how they were started. */
type Servers = Map<string, RunningServer>
interface WorkerFixtures {
  readonly servers: Servers
  readonly browsing: SharedContexts
}

export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  serving: [{ flags: ['--assets', 'BTC,ETH,SOL'] }, { option: true }],
  window: ['desk', { option: true }],

  servers: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what is needed from the pattern
    async ({}, use) => {
      const servers: Servers = new Map()
      await use(servers)
      for (const server of servers.values()) await server.stop()
    },
    { scope: 'worker' },
  ],

  browsing: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => use(new SharedContexts()),
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

  // Not a new one for each test: that costs more than many a test, and the code of the dashboard would be loaded anew.
  context: async ({ browser, browsing, server, watch, window }, use) => {
    const shared = await browsing.of(window, browser, server.url)
    const unwatch = watch.over(shared.context)
    await use(shared.context)
    await shared.clear()
    unwatch()
  },

  stream: async ({ page }, use) => use(new StateStream(page)),

  anotherWindow: async ({ browser, browsing, watch, server }, use) => {
    const shared = await browsing.of('another', browser, server.url)
    const unwatch = watch.over(shared.context)
    await use(await shared.context.newPage())
    await shared.clear()
    unwatch()
  },
})
