import type { CheckExplanation } from 'vivienne-client'
import { formatNumber } from '../../parts/format.ts'

/** How the measures of the filters are put; one that is not known here is shown as it is called. */
interface Wording {
  readonly short: string
  format?(value: number): string
  /** What blocks, for comparisons with 0, of which only the sign counts. */
  readonly blocks?: Readonly<Record<string, string>>
}

const percent = (value: number) => `${formatNumber(value * 100, 3)} %`
const plain = (value: number) => formatNumber(value, 4)
const vote = (value: number) => (value > 0 ? 'with it' : value < 0 ? 'against it' : 'none')
const difference = (value: number) => `${value > 0 ? '+' : ''}${plain(value)}`

const WORDINGS: Readonly<Record<string, Wording>> = {
  bandwidth: { short: 'bandwidth', format: percent },
  'deviations from the middle band': { short: 'deviations', format: (value) => formatNumber(value, 3) },
  'breakout vote in the direction of the entry': {
    short: 'breakout vote',
    format: vote,
    blocks: { '<=': 'unless with it' },
  },
  'trend in the direction of the entry': { short: 'trend', format: vote, blocks: { '<': 'if against it' } },
  'distance to the nearest level ahead': { short: 'distance to it', format: percent },
  'trades per minute': { short: 'trades', format: (value) => `${formatNumber(value, 3)} /min` },
  'average trade': { short: 'average trade' },
  'close over VWAP': { short: 'close over VWAP', format: difference, blocks: { '>': 'if above', '<': 'if below' } },
  'rise since the bar before': { short: 'rise', format: difference, blocks: { '>': 'if it rises' } },
  'taker-buy share': { short: 'taker-buy share', format: percent },
}

/** A measure in few words. */
export function measureWords(measure: string): string {
  return WORDINGS[measure]?.short ?? measure
}

/** A figure of a measure as a person reads it. */
export function formatMeasure(measure: string, value: number | null): string {
  if (value === null) return 'unknown'
  return (WORDINGS[measure]?.format ?? plain)(value)
}

const RELATIONS: Readonly<Record<string, string>> = { '<': 'below', '<=': 'up to', '>': 'above', '>=': 'from' }

/** When a check holds the entry back: in words, and the threshold where it takes one. */
export function blocksWords({ measure, relation, threshold, path }: CheckExplanation): {
  words: string
  threshold: string | null
} {
  const sign = path === null && threshold === 0 ? WORDINGS[measure]?.blocks?.[relation] : undefined
  if (sign !== undefined) return { words: sign, threshold: null }
  return { words: RELATIONS[relation] ?? relation, threshold: formatMeasure(measure, threshold) }
}
