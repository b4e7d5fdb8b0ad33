import type { ClientOptions } from '../client.js'
import type { WebSocketConstructor } from '../connection_types.js'
import { askTicket } from './ask.js'
import { ticketSockets } from './ticket_socket.js'

/**
 * The options of a client that shows a token: in a header with each request; for each WebSocket it gets a ticket, so that
 * the token is in no address. A token the server does not take makes a connection `refused`, which is not tried again.
 *
 * @param token - a function is asked each time; '' is none
 * @param options - those the client would have without
 */
export function withToken(token: string | (() => string), options: ClientOptions = {}): ClientOptions {
  const now = typeof token === 'function' ? token : () => token
  const send = options.fetch ?? ((input: RequestInfo | URL, init?: RequestInit) => fetch(input, init))
  const Socket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined)
  return {
    ...options,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => send(input, signed(now(), init)),
    ...(Socket && {
      WebSocket: ticketSockets(Socket, (url, signal) => {
        const shown = now()
        return shown === '' ? undefined : askTicket(url, shown, { fetch: send, signal })
      }),
    }),
  }
}

function signed(token: string, init: RequestInit = {}): RequestInit {
  if (token === '') return init
  const headers = new Headers(init.headers)
  headers.set('Authorization', `Bearer ${token}`)
  return { ...init, headers }
}
