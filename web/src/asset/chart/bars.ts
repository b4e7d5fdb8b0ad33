import type { AssetState, Chart, ChartBar, FormingBar } from 'vivienne-client'

/** Bars as a chart holds them: which follow which, and how the open one moves. Nothing here knows about drawing. */

const MINUTES: Readonly<Record<string, number>> = {
  '1m': 1,
  '3m': 3,
  '5m': 5,
  '15m': 15,
  '30m': 30,
  '1h': 60,
  '4h': 240,
  '1d': 1440,
}

/** Length of a bar in ms. */
export function barLength(timeframe: string): number {
  return (MINUTES[timeframe] ?? 1) * 60_000
}

/**
 * Held bars with newer ones behind them, at most `limit`.
 *
 * Null when the two do not meet: bars are missing in between, and everything has to be fetched.
 */
export function mergeBars(held: readonly ChartBar[], newer: readonly ChartBar[], limit: number): ChartBar[] | null {
  const [first] = newer
  const last = held.at(-1)
  if (first === undefined || last === undefined || first.time > last.time) return null
  return [...held.filter((bar) => bar.time < first.time), ...newer].slice(-limit)
}

/**
 * A chart with a bar that has just closed behind its last one, at most `limit` bars.
 *
 * Null when the bar is not the next one: bars are missing in between, or the chart has it already.
 */
export function withClosed(chart: Chart, bar: ChartBar, limit: number): Chart | null {
  const last = chart.bars.at(-1)
  const next = last === undefined ? Number.NaN : Date.parse(last.time) + barLength(chart.timeframe)
  if (Date.parse(bar.time) !== next) return null
  const forming = chart.forming !== null && chart.forming.time > bar.time ? chart.forming : null
  return { ...chart, bars: [...chart.bars, bar].slice(-limit), forming }
}

/** When the newest closed bar of a state opened, in ms; null before there is one. */
export function newestClosed(decision: AssetState): number | null {
  if (decision.bar_time === null) return null
  const time = Date.parse(decision.bar_time)
  return decision.bar_closed ? time : time - barLength(decision.timeframe)
}

/** More open bars than this are never kept; there is one, and two until a bar that closed has been fetched. */
const MOST_OPEN = 50

/**
 * The bars that are not fetched as closed yet, oldest first, after a state: the last one moved by its price, or
 * followed by the next one when the market has moved on.
 *
 * @param open what there was before; given back as it is when nothing changed
 * @param lastClosed when the newest bar that was fetched as closed opened, in ms
 */
export function openAfter(
  open: readonly FormingBar[],
  decision: AssetState,
  lastClosed: number | null,
): readonly FormingBar[] {
  const { price, price_time } = decision
  const kept = stillOpen(open, lastClosed)
  if (price === null || price_time === null) return kept
  const length = barLength(decision.timeframe)
  // A price at the very begin of a bar is the close of the one before.
  const begin = (Math.ceil(Date.parse(price_time) / length) - 1) * length
  if (lastClosed !== null && begin <= lastClosed) return kept
  const last = kept.at(-1)
  const held = last === undefined ? Number.NEGATIVE_INFINITY : Date.parse(last.time)
  if (last === undefined || held < begin) {
    const time = new Date(begin).toISOString()
    const prices = { open: price, high: price, low: price, close: price }
    return [...kept, { time, ...prices, volume: null, quote_volume: null, source: null }].slice(-MOST_OPEN)
  }
  if (held > begin || last.close === price) return kept
  const moved = { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price }
  return [...kept.slice(0, -1), moved]
}

/** The open bars with the one the server knows: it saw what came before the page, the page what came since. */
export function withForming(
  open: readonly FormingBar[],
  forming: FormingBar | null | undefined,
  lastClosed: number | null,
): readonly FormingBar[] {
  const kept = stillOpen(open, lastClosed)
  if (!forming || (lastClosed !== null && Date.parse(forming.time) <= lastClosed)) return kept
  const seen = kept.find((bar) => bar.time === forming.time)
  const known =
    seen === undefined
      ? forming
      : {
          ...forming,
          high: Math.max(forming.high, seen.high),
          low: Math.min(forming.low, seen.low),
          close: seen.close,
        }
  const others = kept.filter((bar) => bar.time !== forming.time)
  return [...others, known].sort((one, other) => Date.parse(one.time) - Date.parse(other.time))
}

function stillOpen(open: readonly FormingBar[], lastClosed: number | null): readonly FormingBar[] {
  if (lastClosed === null || open.every((bar) => Date.parse(bar.time) > lastClosed)) return open
  return open.filter((bar) => Date.parse(bar.time) > lastClosed)
}
