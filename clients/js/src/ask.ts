import { VivienneError, VivienneTimeout, VivienneUnreachable } from './errors.js'
import { answered } from './rest.js'

/** Options of a request. */
export interface AskOptions {
  /** Longest time for an answer, in ms; 10,000 if left out. */
  readonly timeout?: number
  readonly fetch?: typeof fetch
  readonly signal?: AbortSignal
}

/** A request that is more than its address. */
export interface Asking extends AskOptions {
  /** Sent as JSON. */
  readonly content?: object | undefined
  /** Of a change: a repetition under the same id is answered as the first time, and errors name it. */
  readonly requestId?: string | undefined
}

/** The answer to a request. */
export async function ask<T>(
  method: string,
  url: string,
  headers: Record<string, string>,
  options: Asking = {},
): Promise<T> {
  const { timeout = 10_000, signal, content, requestId } = options
  const limit = AbortSignal.timeout(timeout)
  try {
    const response = await (options.fetch ?? fetch)(url, {
      method,
      redirect: 'manual', // a token would go along
      headers: {
        ...headers,
        ...(content && { 'Content-Type': 'application/json' }),
        ...(requestId && { 'Idempotency-Key': requestId }),
      },
      ...(content && { body: JSON.stringify(content) }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
    return answered(url, response, await response.text(), requestId)
  } catch (error) {
    if (error instanceof VivienneError) throw error
    signal?.throwIfAborted()
    if (limit.aborted) throw new VivienneTimeout(`${url} did not answer within ${timeout / 1000} s`, requestId)
    throw new VivienneUnreachable(`${url} cannot be reached: ${(error as Error).message}`, requestId, { cause: error })
  }
}
