import {
  type BrowserContext,
  type ConsoleMessage,
  expect,
  type Page,
  type Request,
  type WebError,
} from '@playwright/test'

/** Notes what a browser prints and where it goes; both must stay within what a test allows. */
export class Watch {
  readonly #origins: string[]
  readonly #allowed: RegExp[] = []
  readonly #printed: string[] = []
  readonly #elsewhere: string[] = []

  /** @param origin - the only place its pages may speak to */
  constructor(origin: string) {
    this.#origins = [origin]
  }

  /** @returns what ends it */
  over(context: BrowserContext): () => void {
    const printed = (message: ConsoleMessage) => this.#printed.push(`${message.type()}: ${message.text()}`)
    const failed = (problem: WebError) => this.#printed.push(`uncaught: ${problem.error().stack ?? problem.error()}`)
    const asked = (request: Request) => this.#visited(request.url())
    const opened = (page: Page) => page.on('websocket', (socket) => this.#visited(socket.url()))
    context.on('console', printed).on('weberror', failed).on('request', asked).on('page', opened)
    return () => context.off('console', printed).off('weberror', failed).off('request', asked).off('page', opened)
  }

  /** For what a test provokes, such as broken connections, which Chromium itself reports. */
  allow(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns)
  }

  /** For pages that are served from somewhere else on purpose. */
  allowOrigin(origin: string): void {
    this.#origins.push(origin)
  }

  verdict(): void {
    const unexpected = this.#printed.filter((line) => !this.#allowed.some((pattern) => pattern.test(line)))
    expect(unexpected, 'what the browser printed').toEqual([])
    expect(this.#elsewhere, 'requests to elsewhere').toEqual([])
  }

  #visited(address: string): void {
    const { protocol, origin } = new URL(address.replace(/^ws/, 'http'))
    if (protocol !== 'data:' && protocol !== 'blob:' && !this.#origins.includes(origin)) this.#elsewhere.push(address)
  }
}

/** What Chromium prints when the server is gone, be it in the middle of an answer. */
export const SERVER_GONE = [
  /ERR_CONNECTION_REFUSED/,
  /ERR_CONNECTION_RESET/,
  /ERR_SOCKET_NOT_CONNECTED/,
  /ERR_EMPTY_RESPONSE/,
  /ERR_CONTENT_LENGTH_MISMATCH/,
  /ERR_INCOMPLETE_CHUNKED_ENCODING/,
  /WebSocket connection to .* failed/,
]
/** What Chromium prints when the server refuses a request. */
export const REFUSED = /the server responded with a status of 4\d\d/
