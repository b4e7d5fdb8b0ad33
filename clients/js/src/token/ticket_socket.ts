import type { WebSocketConstructor, WebSocketLike } from '../connection_types.js'
import { VivienneProblem } from '../errors.js'

/** Gets a ticket for a WebSocket; undefined if none is needed. Rejects with the reason of a refusal. */
export type AskForTicket = (url: string, signal: AbortSignal) => Promise<string> | undefined

const CLOSED = 3
/** Code with which the server closes connections of a revoked token. */
const REFUSED = 1008
/** As a browser says it of one that could not be opened. */
const ABNORMAL = 1006

interface Listening {
  readonly type: string
  readonly listener: (event: { code: number; reason: string }) => void
}

/** A class of WebSockets that get a ticket before they open. Those that need none are as they would be without it. */
export function ticketSockets(Socket: WebSocketConstructor, ask: AskForTicket): WebSocketConstructor {
  const Made = class {
    constructor(url: string, protocols?: string[]) {
      const given = new AbortController()
      const asked = ask(url, given.signal)
      // biome-ignore lint/correctness/noConstructorReturn: a socket as it is, where there is nothing to add
      return asked === undefined ? new Socket(url, protocols) : new TicketSocket(Socket, url, asked, given)
    }
  }
  return Made as unknown as WebSocketConstructor
}

/** A WebSocket that opens when its ticket has arrived. */
class TicketSocket implements WebSocketLike {
  readonly url: string
  #socket: WebSocketLike | undefined
  #closed = false
  readonly #asking: AbortController
  /** Those who listened before there was a socket. */
  readonly #early: Listening[] = []

  constructor(Socket: WebSocketConstructor, url: string, asked: Promise<string>, asking: AbortController) {
    this.url = url
    this.#asking = asking
    asked
      .then((ticket) => {
        if (!this.#closed) this.#open(new Socket(url, ['vivienne', `vivienne.ticket.${ticket}`]))
      })
      .catch((error) => this.#failed(error))
  }

  get readyState(): number {
    return this.#socket?.readyState ?? (this.#closed ? CLOSED : 0)
  }

  send(data: string): void {
    if (!this.#socket) throw new Error('The WebSocket is not open yet')
    this.#socket.send(data)
  }

  close(): void {
    this.#closed = true
    this.#asking.abort()
    this.#socket?.close()
  }

  addEventListener(type: never, listener: never): void {
    if (this.#socket) this.#socket.addEventListener(type, listener)
    else this.#early.push({ type, listener })
  }

  #open(socket: WebSocketLike): void {
    this.#socket = socket
    for (const { type, listener } of this.#early) socket.addEventListener(type as never, listener as never)
  }

  #failed(error: unknown): void {
    this.#closed = true
    const refused = error instanceof VivienneProblem && error.status === 401
    const closing = { code: refused ? REFUSED : ABNORMAL, reason: error instanceof Error ? error.message : `${error}` }
    for (const { type, listener } of this.#early) if (type === 'close') listener(closing)
  }
}
