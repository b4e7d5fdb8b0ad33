import { clockOf, zoned } from './zone.ts'

/** A place on an axis with its label. */
export interface Tick {
  readonly value: number
  readonly label: string
}

/** Round numbers from `low` to `high`, at most so many, as the axis of a picture has them. */
export function numberTicks(low: number, high: number, most: number): Tick[] {
  if (!(high > low) || most < 1) return []
  const step = roundStep((high - low) / most)
  const digits = Math.min(20, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.floor(high / step + 1e-9) - first + 1
  return Array.from({ length: count }, (_, index) => {
    const value = (first + index) * step
    return { value, label: (value === 0 ? 0 : value).toFixed(value === 0 ? 0 : digits) }
  })
}

/** The smallest of 1, 2, 5, 10, ... times a power of ten that is at least as large. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least) + 1e-9)
  const factor = [1, 2, 5].find((each) => each * power >= least * (1 - 1e-9)) ?? 10
  return factor * power
}

const MINUTE = 60_000
const DAY = 1_440
/** In minutes. */
const STEPS = [
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  180,
  360,
  720,
  DAY,
  2 * DAY,
  5 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  91 * DAY,
]

const day = zoned({ day: 'numeric', month: 'short' })
const clock = zoned({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** Round moments from one to another, in ms, at most so many: full hours on the clock that is chosen, or beginnings of days. */
export function timeTicks(from: number, to: number, most: number): Tick[] {
  if (!(to > from) || most < 1) return []
  const least = (to - from) / MINUTE / most
  const step = STEPS.find((each) => each >= least) ?? Math.ceil(least / 365 / DAY) * 365 * DAY
  return beginnings(from, to, step)
    .filter((value) => value >= from && value <= to)
    .map((value) => ({ value, label: clockOf(new Date(value)).minute === 0 ? day(value) : clock(value) }))
}

/** Moments of one step after the other, counted from the beginning of the first day. */
function beginnings(from: number, to: number, step: number): number[] {
  const found: number[] = []
  const { minute } = clockOf(new Date(from))
  const midnight = Math.floor(from / MINUTE) * MINUTE - minute * MINUTE
  for (let each = 0; midnight + each * MINUTE <= to; each += step) {
    const value = midnight + each * MINUTE
    // After a change of the clock days begin an hour earlier or later.
    found.push(step < DAY ? value : atMidnight(value))
  }
  return found
}

function atMidnight(value: number): number {
  const { minute } = clockOf(new Date(value))
  return value + (minute > DAY / 2 ? DAY - minute : -minute) * MINUTE
}
