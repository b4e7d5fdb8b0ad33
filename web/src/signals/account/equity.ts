import type { PaperAccount } from 'vivienne-client'

/** A curve of equity in a box of 1 by 1. Nothing here knows about React. */
export interface EquityShape {
  /** Path of the line; empty without two points. */
  readonly line: string
  /** The same line, closed at the equity of the beginning. */
  readonly area: string
  /** How far from the top the beginning is. */
  readonly beginning: number
  readonly ticks: readonly { readonly percent: number; readonly y: number }[]
  readonly points: readonly EquityPoint[]
}

export interface EquityPoint {
  readonly time: string
  /** Gain since the beginning, in percent of the equity then. */
  readonly percent: number
  readonly x: number
  readonly y: number
}

/** Equity of the beginning: values beside it are gains in percent. */
const BEGINNING = 100
/** Room above and below the curve, as a fraction of its height. */
const ROOM = 0.06

export function equityShape({ times, equity }: PaperAccount['curve']): EquityShape {
  const moments = times.map((time) => Date.parse(time))
  const [first, last] = [moments[0] ?? 0, moments.at(-1) ?? 0]
  const gains = equity.map((value) => value - BEGINNING)
  const [least, most] = [Math.min(0, ...gains), Math.max(0, ...gains)]
  const room = (most - least || 1) * ROOM
  const [low, high] = [least - room, most + room]
  const y = (percent: number) => rounded((high - percent) / (high - low))
  const points = gains.map((percent, place) => ({
    time: times[place] ?? '',
    percent,
    x: last === first ? 0 : rounded(((moments[place] ?? 0) - first) / (last - first)),
    y: y(percent),
  }))
  const line =
    points.length < 2 ? '' : points.map(({ x, y: at }, place) => `${place === 0 ? 'M' : 'L'}${x} ${at}`).join('')
  const ticks = ticksBetween(least, most).map((percent) => ({ percent, y: y(percent) }))
  return { line, area: line === '' ? '' : `${line}V${y(0)}H0Z`, beginning: y(0), ticks, points }
}

/** The point nearest to a place of 0 to 1. */
export function nearestPoint(points: readonly EquityPoint[], x: number): EquityPoint | undefined {
  let found = points[0]
  for (const point of points) {
    if (found === undefined || Math.abs(point.x - x) < Math.abs(found.x - x)) found = point
  }
  return found
}

/** Round numbers from one to another, about four of them; zero is always one. */
export function ticksBetween(low: number, high: number): number[] {
  if (!(high > low)) return [0]
  const rough = (high - low) / 4
  const unit = 10 ** Math.floor(Math.log10(rough))
  const step = unit * ([1, 2, 5, 10].find((size) => size * unit >= rough) ?? 10)
  const ticks: number[] = []
  for (let place = Math.ceil(low / step); place <= Math.floor(high / step); place++) {
    ticks.push(Number((place * step).toPrecision(12)))
  }
  return ticks
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
