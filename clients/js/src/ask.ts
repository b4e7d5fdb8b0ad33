import { VivienneError, VivienneTimeout, VivienneUnreachable } from './errors.js'
import { answered } from './rest.js'

/** Options of a request. */
export interface AskOptions {
  /** Longest time for an answer, in ms; 10,000 if left out. */
  readonly timeout?: number
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
}

/** The answer to a request without a body. */
export async function ask<T>(
  method: string,
  url: string,
  headers: Record<string, string>,
  options: AskOptions = {},
): Promise<T> {
  const { timeout = 10_000, signal } = options
  const limit = AbortSignal.timeout(timeout)
  try {
    const response = await (options.fetch ?? fetch)(url, {
      method,
      redirect: 'manual', // a token would go along
      headers,
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
