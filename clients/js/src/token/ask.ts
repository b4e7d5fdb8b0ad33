import { type AskOptions, ask } from '../ask.js'
import type { Ticket, WhoAsks } from '../types.js'

/**
 * Ask for the name and the role of a token.
 *
 * @param baseUrl - where the server is
 * @param token - '' asks without a token
 * @throws {@link VivienneProblem} with status 401 if the token is not valid; {@link VivienneTimeout} and {@link VivienneUnreachable}
 */
export function askCaller(baseUrl: string, token: string, options?: AskOptions): Promise<WhoAsks> {
  return ask('GET', `${baseUrl.replace(/\/+$/, '')}/auth/caller`, bearer(token), options)
}

/** A ticket for one WebSocket, of the server that WebSocket leads to. */
export async function askTicket(socketUrl: string, token: string, options?: AskOptions): Promise<string> {
  const url = socketUrl.replace(/^ws/, 'http').replace(/\/ws\/\w+(\?.*)?$/, '/auth/ticket')
  return (await ask<Ticket>('POST', url, bearer(token), options)).ticket
}

function bearer(token: string): Record<string, string> {
  return token === '' ? {} : { Authorization: `Bearer ${token}` }
}
