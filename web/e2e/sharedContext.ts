import type { Browser, BrowserContext, CDPSession } from '@playwright/test'

/** A window that tests use one after the other: what a test left in it is removed, what was loaded stays in the cache. */
export class SharedContext {
  readonly context: BrowserContext
  readonly #origin: string
  readonly #session: CDPSession

  private constructor(context: BrowserContext, origin: string, session: CDPSession) {
    this.context = context
    this.#origin = origin
    this.#session = session
  }

  /** @param origin - the server its pages are from */
  static async opened(browser: Browser, origin: string): Promise<SharedContext> {
    const context = await browser.newContext({ baseURL: origin })
    // Through this page storage is cleared when no other one is left.
    const session = await context.newCDPSession(await context.newPage())
    return new SharedContext(context, origin, session)
  }

  /** Closes all pages and forgets what they stored. The storage of a session ends with its page. */
  async clear(): Promise<void> {
    const [, ...pages] = this.context.pages()
    for (const page of pages) await page.close()
    await this.context.unrouteAll()
    await this.#session.send('Storage.clearDataForOrigin', {
      origin: this.#origin,
      storageTypes: 'cookies,local_storage,indexeddb,cache_storage,service_workers',
    })
  }
}

/** Those of one worker. */
export class SharedContexts {
  readonly #opened = new Map<string, SharedContext>()

  /** The one for a kind of window and a server; new when there is none yet. */
  async of(kind: string, browser: Browser, origin: string): Promise<SharedContext> {
    const key = `${kind} ${origin}`
    const shared = this.#opened.get(key) ?? (await SharedContext.opened(browser, origin))
    this.#opened.set(key, shared)
    return shared
  }
}
