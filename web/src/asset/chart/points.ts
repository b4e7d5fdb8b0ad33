import type { UTCTimestamp } from 'lightweight-charts'
import type { ChartBar, FormingBar } from 'vivienne-client'
import { faded, type Palette } from './palette.ts'

/** Bars as the charting library takes them. */

export function secondsOf(time: string): UTCTimestamp {
  return (Date.parse(time) / 1000) as UTCTimestamp
}

export function candleOf({ time, open, high, low, close }: FormingBar) {
  return { time: secondsOf(time), open, high, low, close }
}

/** A figure of a bar, for a line; without the figure a hole in it. */
export function pointOf(bar: ChartBar, column: keyof ChartBar) {
  const value = bar[column]
  return typeof value === 'number' ? { time: secondsOf(bar.time), value } : { time: secondsOf(bar.time) }
}

/** Columns of the volume, in the colour of their candles. */
export function volumesOf(bars: readonly ChartBar[], column: 'volume' | 'quote_volume', palette: Palette) {
  const [up, down] = [faded(palette.up, 0.3), faded(palette.down, 0.3)]
  return bars.map((bar) => {
    const value = bar[column]
    const time = secondsOf(bar.time)
    return value === null ? { time } : { time, value, color: bar.close >= bar.open ? up : down }
  })
}
