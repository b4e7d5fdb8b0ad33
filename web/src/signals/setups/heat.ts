import type { HeatMap } from 'vivienne-client'

/** How much filters blocked, as places in a grid. Nothing here knows about drawing. */
export interface HeatGrid {
  /** When the first column begins, in ms. */
  readonly begin: number
  /** Days of a column. */
  readonly days: number
  readonly columns: number
  /** 1, or the 24 hours of a day. */
  readonly rows: number
  readonly filters: readonly HeatFilter[]
}

export interface HeatFilter {
  readonly id: string
  /** Of all bars. */
  readonly share: number
  readonly bars: number
  /** By column and row; those without bars are missing. */
  readonly cells: ReadonlyMap<number, HeatCell>
}

export interface HeatCell {
  readonly column: number
  readonly row: number
  readonly bars: number
  /** Fraction of the bars on which the filter blocked. */
  readonly share: number
}

const DAY = 86_400_000
const HOUR = 3_600_000
/** More columns are thinner than a pixel; several days share one then. */
const MOST_COLUMNS = 366
/** Shades between nothing and all. */
export const SHADES = 8

export function heatGrid(map: HeatMap): HeatGrid | null {
  const times = map.times.map((time) => Date.parse(time))
  const [first, last] = [times[0], times.at(-1)]
  if (first === undefined || last === undefined) return null
  const begin = Math.floor(first / DAY) * DAY
  const all = Math.floor((last - begin) / DAY) + 1
  const days = Math.ceil(all / MOST_COLUMNS)
  const rows = map.unit === 'hour' ? 24 : 1
  const place = (time: number): readonly [column: number, row: number] => [
    Math.floor((time - begin) / DAY / days),
    rows === 1 ? 0 : Math.floor((time % DAY) / HOUR),
  ]
  const filters = map.filters.map(({ filter: id, shares }) => {
    const cells = new Map<number, HeatCell>()
    let [blocked, bars] = [0, 0]
    for (const [index, time] of times.entries()) {
      const [share, count] = [shares[index] ?? 0, map.bars[index] ?? 0]
      const [column, row] = place(time)
      const key = keyOf(column, row)
      cells.set(key, joined(cells.get(key), { column, row, bars: count, share }))
      blocked += share * count
      bars += count
    }
    return { id, share: bars === 0 ? 0 : blocked / bars, bars, cells }
  })
  return { begin, days, columns: Math.ceil(all / days), rows, filters }
}

/** Key of a place in `cells`. */
export function keyOf(column: number, row: number): number {
  return column * 24 + row
}

/** The shade of a fraction: 0 for none at all, `SHADES` for all. */
export function shadeOf(share: number): number {
  return Math.ceil(share * SHADES)
}

/** One path for all cells of a shade. */
export function heatPaths({ cells }: HeatFilter): Map<number, string> {
  const paths = new Map<number, string>()
  for (const { column, row, share } of cells.values()) {
    const shade = shadeOf(share)
    paths.set(shade, `${paths.get(shade) ?? ''}M${column} ${row}h1v1h-1z`)
  }
  return paths
}

/** When a place begins and ends, in ms. */
export function spanOfCell({ begin, days, rows }: HeatGrid, { column, row }: HeatCell): readonly [number, number] {
  const day = begin + column * days * DAY
  return rows === 1 ? [day, day + days * DAY] : [day + row * HOUR, day + row * HOUR + HOUR]
}

function joined(one: HeatCell | undefined, other: HeatCell): HeatCell {
  if (one === undefined) return other
  const bars = one.bars + other.bars
  return { ...one, bars, share: (one.share * one.bars + other.share * other.bars) / bars }
}
