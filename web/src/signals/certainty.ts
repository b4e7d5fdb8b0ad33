import { hitRange } from '../history/outcomeWords.ts'

/** How sure figures of few entries are. Nothing here knows about React. */

/** With fewer entries no percentage is shown: "2 of 3" says all there is. */
export const FEW = 10

/** Chance of a word where there is nothing to say it of, over all rows of a table together. */
const MISTAKEN = 0.05

/** A fraction, and the range within which the true one is believed to be. */
export interface Certainty {
  readonly rate: number
  readonly low: number
  readonly high: number
}

/**
 * The range of a fraction, so wide that in a table of coin tosses it lies to one side of a half in
 * one of twenty tables, not in one of twenty rows.
 *
 * @param rows number of rows of the table
 */
export function certainty(hits: number, known: number, rows: number): Certainty {
  const rate = hits / known
  const [low, high] = hitRange(rate, known, quantileOf(rows))
  return { rate, low, high }
}

/**
 * How far luck alone may move a mean, in a table of so many rows, as for `certainty`.
 *
 * @param deviation - of the values
 */
export function luckOf(deviation: number, known: number, rows: number): number {
  return (deviation / Math.sqrt(known)) * quantileOf(rows)
}

function quantileOf(rows: number): number {
  return normalQuantile(1 - MISTAKEN / 2 / Math.max(1, rows))
}

/** Whether more than half are hits, fewer, or nobody can tell. */
export type Verdict = 'more' | 'fewer' | 'unknown'

export function verdictOf({ low, high }: Certainty): Verdict {
  return low > 0.5 ? 'more' : high < 0.5 ? 'fewer' : 'unknown'
}

/** The value below which a standard normal one is with a probability of at least a half (Abramowitz and Stegun 26.2.23). */
function normalQuantile(probability: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - probability))
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
}

/** The mean of some values, and twice its standard error: what luck alone usually gives. */
export function meanOf(values: readonly number[]): { mean: number; luck: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, luck: 2 * Math.sqrt(squares / (values.length - 1) / values.length) }
}
