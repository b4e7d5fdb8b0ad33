import type { CheckExplanation, SignalExplanation } from 'vivienne-client'
import { formatNumber } from '../../parts/format.ts'

type Unit = CheckExplanation['unit'] | SignalExplanation['unit']

const plain = (value: number) => formatNumber(value, 4)
const rough = (value: number) => formatNumber(value, 3)
const percent = (value: number) => `${rough(value * 100)} %`
const signed = (value: number) => `${value > 0 ? '+' : ''}${plain(value)}`
const direction = (value: number) => (value > 0 ? 'with it' : value < 0 ? 'against it' : 'none')

/** The form of a figure follows from its unit. */
const FORMATS: Readonly<Record<Unit, (value: number) => string>> = {
  atr: rough,
  deviations: rough,
  direction,
  fraction: percent,
  per_minute: (value) => `${rough(value)} /min`,
  percent_b: rough,
  price_difference: signed,
  quote: plain,
  ratio: rough,
  rsi: rough,
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

/** When a check holds the entry back: in words, and the threshold if there is one to compare with. */
export function blocksWords({ unit, relation, threshold }: CheckExplanation): {
  words: string
  threshold: string | null
} {
  if (unit === 'direction') return { words: DIRECTIONS[relation] ?? relation, threshold: null }
  return { words: RELATIONS[relation] ?? relation, threshold: formatFigure(unit, threshold) }
}
