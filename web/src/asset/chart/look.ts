import type { ChartBar, FormingBar } from 'vivienne-client'
import { LOOKS, type Look } from './address.ts'
import { barLength } from './bars.ts'
import { weakest } from './sources.ts'

/** Timeframes to look at beside a decided one: the longer ones that its bars fill. */
export function looksBeside(timeframe: string): readonly Look[] {
  const length = barLength(timeframe)
  return LOOKS.filter((look) => barLength(look) > length && barLength(look) % length === 0)
}

/** Bars of a longer timeframe: the closed ones, and the one that is still open. */
export interface Looked {
  readonly bars: readonly ChartBar[]
  readonly open: readonly FormingBar[]
}

/**
 * Bars put together into those of a longer timeframe, for looking only.
 *
 * A bar whose beginning is not held is left out. The figures of decisions and indicators in a longer bar are those of its
 * last shorter one; nothing is computed from them.
 */
export function looked(bars: readonly ChartBar[], open: readonly FormingBar[], timeframe: string, look: Look): Looked {
  const length = barLength(look)
  const closed: ChartBar[] = []
  let group: ChartBar[] = []
  for (const bar of bars) {
    const [first] = group
    if (first !== undefined && begin(bar.time, length) !== begin(first.time, length)) {
      closed.push(joined(group, length))
      group = []
    }
    group.push(bar)
  }
  const last = group.at(-1)
  const ended = last !== undefined && (Date.parse(last.time) + barLength(timeframe)) % length === 0
  if (ended) closed.push(joined(group, length))
  const [first] = bars
  // Where the market begins within a bar, its first candle would have the wrong open.
  if (first !== undefined && Date.parse(first.time) % length !== 0 && closed.length > 0) closed.shift()
  return { bars: closed, open: openBar(ended ? [] : group, open, length) }
}

function openBar(group: readonly ChartBar[], open: readonly FormingBar[], length: number): readonly FormingBar[] {
  const newest = open.at(-1) ?? group.at(-1)
  if (newest === undefined) return []
  const start = begin(newest.time, length)
  const parts = [...group, ...open].filter(({ time }) => begin(time, length) === start)
  return [{ time: new Date(start).toISOString(), ...extent(parts) }]
}

function joined(group: readonly ChartBar[], length: number): ChartBar {
  const last = group.at(-1) as ChartBar
  return { ...last, ...extent(group), time: new Date(begin(last.time, length)).toISOString() }
}

function extent(parts: readonly FormingBar[]) {
  const [first, last] = [parts[0] as FormingBar, parts.at(-1) as FormingBar]
  return {
    open: first.open,
    high: Math.max(...parts.map(({ high }) => high)),
    low: Math.min(...parts.map(({ low }) => low)),
    close: last.close,
    volume: total(parts.map(({ volume }) => volume)),
    quote_volume: total(parts.map(({ quote_volume }) => quote_volume)),
    source: weakest(parts.map(({ source }) => source)),
  }
}

function total(volumes: readonly (number | null)[]): number | null {
  const known = volumes.filter((volume) => volume !== null)
  return known.length === 0 ? null : known.reduce((sum, volume) => sum + volume, 0)
}

/** When the longer bar around a moment began, in ms; days begin at midnight UTC. */
function begin(time: string, length: number): number {
  return Math.floor(Date.parse(time) / length) * length
}
