/**
 * As a `fetch`, with few reads under way at once. A browser opens six connections to a server: while as many reads hang,
 * as where an agent does not answer, a pause would wait in the browser. What changes something never waits.
 *
 * @param send - the other one
 * @param most - reads at once
 */
export function withFewReads(send: typeof fetch, most: number): typeof fetch {
  const waiting: (() => void)[] = []
  let underWay = 0
  return async (input, init) => {
    if (!isRead(`${input instanceof Request ? input.url : input}`, init?.method)) return send(input, init)
    while (underWay >= most) await turn(waiting, init?.signal)
    underWay++
    try {
      return await send(input, init)
    } finally {
      underWay--
      waiting.shift()?.()
    }
  }
}

/** To try a change out changes nothing, and takes long. What is paused is short, and what follows a click. */
function isRead(url: string, method = 'GET'): boolean {
  return method === 'GET' ? !/\/pause(\?|$)/.test(url) : /\/(preview|validate)(\?|$)/.test(url)
}

/** Waits for a turn. Who gives up before that takes none. */
function turn(waiting: (() => void)[], signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const come = () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      waiting.splice(waiting.indexOf(come), 1)
      reject(signal?.reason)
    }
    if (signal?.aborted) return reject(signal.reason)
    signal?.addEventListener('abort', leave, { once: true })
    waiting.push(come)
  })
}
