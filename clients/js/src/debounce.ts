import { VivienneError } from './errors.js'
import { merged } from './paths.js'
import type { Acknowledgement, PartialConfiguration } from './types.js'

/** Changes that are made together when nothing was added for a while. */
export interface DebouncedUpdate {
  /** Adds a change. Resolves with the acknowledgement that covers it, rejects as the sending does. */
  push(config: PartialConfiguration): Promise<Acknowledgement>
  /** Sends waiting changes now, or when the running request has ended. Returns their promise, if any wait. */
  flush(): Promise<Acknowledgement> | undefined
  /** Drops waiting changes and rejects their promise. A running request continues. */
  cancel(): void
}

/** Changes that wait to be sent together. */
class Batch {
  config: PartialConfiguration = {}
  resolve: (sent: Promise<Acknowledgement>) => void = () => {}
  readonly promise = new Promise<Acknowledgement>((resolve) => {
    this.resolve = resolve
  })

  constructor() {
    // Who does not look at the promise must not get an unhandled rejection.
    this.promise.catch(() => {})
  }
}

/**
 * Collects changes and sends them together, one sending at a time.
 *
 * @param send - such as `(config) => rest.partialUpdate(config, { asset: 'BTC' })`
 * @param wait - how long nothing must have been added, in ms
 */
export function debouncedUpdate(
  send: (config: PartialConfiguration) => Promise<Acknowledgement>,
  wait = 1000,
): DebouncedUpdate {
  let waiting: Batch | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let sending = false

  const sendNow = async () => {
    clearTimeout(timer)
    timer = undefined
    if (sending || !waiting) return
    const { config, resolve, promise } = waiting
    waiting = undefined
    sending = true
    resolve((async () => send(config))())
    await promise.catch(() => {})
    sending = false
    // Changes that came due during the request; later ones have their timer.
    if (!timer) sendNow()
  }
  return {
    push(config) {
      waiting ??= new Batch()
      waiting.config = merged(waiting.config, config)
      clearTimeout(timer)
      timer = setTimeout(sendNow, wait)
      return waiting.promise
    },
    flush() {
      const promise = waiting?.promise
      sendNow()
      return promise
    },
    cancel() {
      clearTimeout(timer)
      waiting?.resolve(Promise.reject(new VivienneError('Cancelled before it was sent')))
      waiting = undefined
    },
  }
}
