import type { CheckExplanation, SignalExplanation } from 'vivienne-client'
import { formatApart, formatNumber, formatPercent } from '../../parts/format.ts'

type Unit = CheckExplanation['unit'] | SignalExplanation['unit']

type Format = (value: number, digits?: number) => string

const plain: Format = (value, digits = 4) => formatNumber(value, digits)
const signed: Format = (value, digits) => `${value > 0 ? '+' : ''}${plain(value, digits)}`
const direction = (value: number) => (value > 0 ? 'with it' : value < 0 ? 'against it' : 'none')

/** The form of a figure follows from its unit. */
const FORMATS: Readonly<Record<Unit, Format>> = {
  atr: plain,
  deviations: plain,
  direction,
  fraction: formatPercent,
  per_minute: (value, digits) => `${plain(value, digits)} /min`,
  percent_b: plain,
  price_difference: signed,
  quote: plain,
  ratio: plain,
  rsi: plain,
}

/** Short forms for measures that are long on the wire; it has all of them in full. */
const SHORT: Readonly<Record<string, string>> = {
  breakout_ahead: 'breakout vote',
  deviations_ahead: 'deviations',
  level_ahead: 'distance to it',
  rise: 'rise',
  trades_per_minute: 'trades',
  trend_ahead: 'trend',
}

/** A measure in few words. */
export function measureWords({ id, measure }: Pick<CheckExplanation, 'id' | 'measure'>): string {
  return SHORT[id] ?? measure
}

/** A figure as a person reads it; a unit that is newer than this page leaves it as it is. */
export function formatFigure(unit: Unit, value: number | null): string {
  return value === null ? 'unknown' : (FORMATS[unit] ?? plain)(value)
}

const RELATIONS: Readonly<Record<string, string>> = { '<': 'below', '<=': 'up to', '>': 'above', '>=': 'from' }

/** Of a direction only the sign is compared: it points with the entry or against it. */
const DIRECTIONS: Readonly<Record<string, string>> = {
  '<': 'if against it',
  '<=': 'unless with it',
  '>': 'if with it',
  '>=': 'unless against it',
}

/**
 * When a check holds the entry back, in words; its value, and the threshold if there is one to compare with: with digits enough
 * to tell one from the other.
 */
export function checkWords({ unit, relation, value, threshold }: CheckExplanation): {
  words: string
  value: string
  threshold: string | null
} {
  if (unit === 'direction') {
    return { words: DIRECTIONS[relation] ?? relation, value: formatFigure(unit, value), threshold: null }
  }
  const words = RELATIONS[relation] ?? relation
  if (value === null) return { words, value: formatFigure(unit, null), threshold: formatFigure(unit, threshold) }
  const [said, limit] = formatApart(value, threshold, FORMATS[unit] ?? plain)
  return { words, value: said, threshold: limit }
}
