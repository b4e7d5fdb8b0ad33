import { type BrowserContext, type BrowserContextOptions, test as base, type Page } from '@playwright/test'
import { RunningServer, type Serving } from './server.ts'
import { StateStream } from './stream.ts'
import { Watch } from './watch.ts'

export { expect, type Locator, type Page } from '@playwright/test'

interface Options {
  /** A server of this test's own; null for the shared one, which is reset before each test. */
  readonly serving: Serving | null
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

interface WorkerFixtures {
  readonly sharedServer: RunningServer
}

export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  serving: [null, { option: true }],

  sharedServer: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what is needed from the pattern
    async ({}, use) => {
      const server = await RunningServer.started({ flags: ['--assets', 'BTC,ETH,SOL'] })
      await use(server)
      await server.stop()
    },
    { scope: 'worker' },
  ],

  server: async ({ serving, sharedServer }, use) => {
    if (serving === null) {
      await sharedServer.reset()
      await use(sharedServer)
      return
    }
    const server = await RunningServer.started(serving)
    await use(server)
    await server.stop()
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
