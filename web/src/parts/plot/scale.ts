/** From values to pixels. */
export interface Scale {
  (value: number): number
  readonly low: number
  readonly high: number
}

/** A scale of values from `low` to `high` onto pixels. */
export function scale(low: number, high: number, from: number, to: number): Scale {
  const each = high > low ? (to - from) / (high - low) : 0
  return Object.assign((value: number) => from + (value - low) * each, { low, high })
}

/** The least and the largest of some values and zero, with a little room; a range around zero where all of them are zero. */
export function rangeOf(...curves: readonly (readonly number[])[]): readonly [number, number] {
  let [low, high] = [0, 0]
  for (const curve of curves)
    for (const value of curve) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
  const room = (high - low) * 0.06
  return room > 0 ? [low - room, high + room] : [-1, 1]
}

/** The path of a line through points. */
export function linePath(xs: readonly number[], ys: readonly number[]): string {
  return xs.map((x, index) => `${index === 0 ? 'M' : 'L'}${fine(x)} ${fine(ys[index] ?? 0)}`).join('')
}

/** The path around the area between two lines. */
export function areaPath(xs: readonly number[], low: readonly number[], high: readonly number[]): string {
  if (xs.length === 0) return ''
  const back = linePath(xs.toReversed(), low.toReversed()).replace('M', 'L')
  return `${linePath(xs, high)}${back}Z`
}

function fine(pixels: number): string {
  return String(Math.round(pixels * 10) / 10)
}

/** Index of the point that is nearest to a value; of sorted ones. -1 if there is none. */
export function nearest(sorted: readonly number[], value: number): number {
  let [from, to] = [0, sorted.length - 1]
  while (to - from > 1) {
    const middle = (from + to) >> 1
    if ((sorted[middle] ?? 0) < value) from = middle
    else to = middle
  }
  if (to < 0) return -1
  return Math.abs((sorted[from] ?? 0) - value) <= Math.abs((sorted[to] ?? 0) - value) ? from : to
}
