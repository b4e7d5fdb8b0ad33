import { type BrowserContext, expect } from '@playwright/test'

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

  over(context: BrowserContext): void {
    context.on('console', (message) => this.#printed.push(`${message.type()}: ${message.text()}`))
    context.on('weberror', (problem) => this.#printed.push(`uncaught: ${problem.error().stack ?? problem.error()}`))
    context.on('request', (request) => this.#visited(request.url()))
    context.on('page', (page) => page.on('websocket', (socket) => this.#visited(socket.url())))
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
  /ERR_EMPTY_RESPONSE/,
  /ERR_CONTENT_LENGTH_MISMATCH/,
  /WebSocket connection to .* failed/,
]
/** What Chromium prints when the server refuses a request. */
export const REFUSED = /the server responded with a status of 4\d\d/
