import type { Setups } from 'vivienne-client'

type Outcomes = Setups['by_level'][number]['outcomes']

/** Bars after which returns are known. */
export const HORIZONS = [1, 4, 16, 96] as const
export type Horizon = (typeof HORIZONS)[number]
export const DEFAULT_HORIZON: Horizon = 16

/** One kind of entries, as the page shows it. */
export interface SetupRow {
  readonly name: string
  readonly entries: number
  /** Entries whose return is known. */
  readonly known: number
  /** How many of them have a return above 0; or of what a filter held, below 0. */
  readonly hits: number
  /** In percent, before costs; null if none is known. */
  readonly mean: number | null
  /** Standard deviation of the returns, in percent; null if fewer than two are known. */
  readonly deviation: number | null
  /** Mean of the largest moves, in ATR. */
  readonly gain: number | null
  readonly loss: number | null
}

/** Kinds of entries with what came of them after some bars; those with entries first in the order that is given. */
export function setupRows(groups: Setups['by_level'], horizon: Horizon): SetupRow[] {
  return groups.map(({ name, outcomes }) => rowOf(name, outcomes, horizon, null))
}

/** What each filter held back; hits are those it was right to hold, because they would have lost over 16 bars. */
export function heldRows(groups: Setups['held_by']): SetupRow[] {
  return groups.map(({ filter, outcomes, held_right }) => rowOf(filter, outcomes, 16, held_right ?? 0))
}

function rowOf(name: string, outcomes: Outcomes, horizon: Horizon, rate: number | null): SetupRow {
  const found = outcomes.returns.find(({ bars }) => bars === horizon)
  const known = found?.known ?? 0
  return {
    name,
    entries: outcomes.entries,
    known,
    hits: Math.round((rate ?? found?.hit_rate ?? 0) * known),
    mean: found?.mean_return ?? null,
    deviation: found?.deviation ?? null,
    gain: outcomes.largest_gain_atr,
    loss: outcomes.largest_loss_atr,
  }
}

/** Rows with entries, and the names of those without. */
export function withEntries(rows: readonly SetupRow[]): { shown: SetupRow[]; none: string[] } {
  return {
    shown: rows.filter(({ entries }) => entries > 0),
    none: rows.filter(({ entries }) => entries === 0).map(({ name }) => name),
  }
}

/** "3 h", "1 d": a number of bars as a time. */
export function timeOf(bars: number, length: number): string {
  const minutes = (bars * length) / 60_000
  if (minutes < 60) return `${minutes} min`
  const hours = minutes / 60
  return hours < 48 ? `${Number(hours.toFixed(1))} h` : `${Number((hours / 24).toFixed(1))} d`
}
