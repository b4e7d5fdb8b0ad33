import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A message that came in. */
export interface Received {
  readonly id: string
  readonly body: {
    readonly type: string
    readonly asset: string | null
    readonly text: string
    readonly market: string
  }
  /** True if it was signed with a secret. */
  signedWith(secret: string): boolean
}

/** A program that takes webhooks, on a port of this machine. */
export class Receiver {
  /** What it answers. */
  status = 204
  readonly received: Received[] = []
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
  }

  static async started(): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  /** The texts of the messages that came in, by their kind. */
  texts(type: string): string[] {
    return this.received.filter(({ body }) => body.type === type).map(({ body }) => body.text)
  }

  async end(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const content = await text(request)
    const header = (name: string) => String(request.headers[`webhook-${name}`])
    this.received.push({
      id: header('id'),
      body: JSON.parse(content),
      signedWith(secret) {
        const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
        const signed = createHmac('sha256', key).update(`${header('id')}.${header('timestamp')}.${content}`)
        return header('signature') === `v1,${signed.digest('base64')}`
      },
    })
    // One that is overloaded wants no repetition within the time of a test.
    response.writeHead(this.status, this.status === 503 ? { 'Retry-After': '600' } : {})
    response.end(this.status === 204 ? '' : 'the bot is away')
  }
}
