import { VivienneError, VivienneTimeout, VivienneUnreachable } from '../errors.js'
import { answered } from '../rest.js'
import type { Ticket, WhoAsks } from '../types.js'

/** Options of the request. */
export interface AskOptions {
  /** Longest time for an answer, in ms; 10,000 if left out. */
  readonly timeout?: number
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
}

/**
 * Ask for the name and the role of a token.
 *
 * @param baseUrl - where the server is
 * @param token - '' asks without a token
 * @throws {@link VivienneProblem} with status 401 if the token is not valid; {@link VivienneTimeout} and {@link VivienneUnreachable}
 */
export function askCaller(baseUrl: string, token: string, options?: AskOptions): Promise<WhoAsks> {
  return ask('GET', `${baseUrl.replace(/\/+$/, '')}/auth/caller`, token, options)
}

/** A ticket for one WebSocket, of the server that WebSocket leads to. */
export async function askTicket(socketUrl: string, token: string, options?: AskOptions): Promise<string> {
  const url = socketUrl.replace(/^ws/, 'http').replace(/\/ws\/\w+(\?.*)?$/, '/auth/ticket')
  return (await ask<Ticket>('POST', url, token, options)).ticket
}

async function ask<T>(method: string, url: string, token: string, options: AskOptions = {}): Promise<T> {
  const { timeout = 10_000, signal } = options
  const limit = AbortSignal.timeout(timeout)
  try {
    const response = await (options.fetch ?? fetch)(url, {
      method,
      redirect: 'manual', // the token would go along
      headers: token === '' ? {} : { Authorization: `Bearer ${token}` },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
    return answered(url, response, await response.text())
  } catch (error) {
    if (error instanceof VivienneError) throw error
    signal?.throwIfAborted()
    if (limit.aborted) throw new VivienneTimeout(`${url} did not answer within ${timeout / 1000} s`)
    throw new VivienneUnreachable(`${url} cannot be reached: ${(error as Error).message}`, undefined, { cause: error })
  }
}
