/** Never sooner than this, in ms: a server that refuses at once must not be asked in a hot loop. */
const SHORTEST_DELAY = 100

/**
 * Delay before the next attempt, in ms, with full jitter, so that clients do not reconnect all at once.
 *
 * @param attempt - how many failed since data last arrived
 * @param first - bound of the first delay, in ms; it doubles with each attempt
 * @param longest - bound of every delay, in ms
 * @param random - from 0 to 1
 */
export function reconnectDelay(attempt: number, first: number, longest: number, random: () => number): number {
  return Math.max(SHORTEST_DELAY, random() * Math.min(longest, first * 2 ** Math.min(attempt, 30)))
}
