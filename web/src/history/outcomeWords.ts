import type { ScoreComparison, VersionDecisions } from 'vivienne-client'
import { formatSpan, timeframeMinutes } from '../configuration/reading.ts'
import { formatNumber } from '../parts/format.ts'

export type Verdict = ScoreComparison['verdict']

/** "1 bar", "1,240 bars". */
export function barsWords(bars: number): string {
  return counted(bars, 'bar')
}

/** "1 entry", "31 entries". */
export function entriesWords(entries: number): string {
  return counted(entries, 'entry', 'entries')
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count, 12)} ${count === 1 ? one : many}`
}

/** Length of so many bars: "3.13 d"; null for a timeframe that is not understood. */
export function lengthWords(bars: number, timeframe: string): string | null {
  const minutes = timeframeMinutes(timeframe)
  return minutes === null ? null : formatSpan(bars * minutes).replace('≈ ', '')
}

/** Number of bars from the open of one to the close of another. */
export function barsBetween(begins: string, ends: string, timeframe: string): number {
  const minutes = timeframeMinutes(timeframe) ?? 1
  return (Date.parse(ends) - Date.parse(begins)) / 60_000 / minutes + 1
}

/** Total of entries of all levels and sides. */
export function entriesOf({ entries }: Pick<VersionDecisions, 'entries'>): number {
  return Object.values(entries).reduce((sum, { long, short }) => sum + long + short, 0)
}

type Compared = Pick<ScoreComparison, 'verdict' | 'bars' | 'bars_more' | 'confidence' | 'mean' | 'low' | 'high'>

/**
 * How sure a verdict is, behind its word: "95 % sure", "about 1,240 bars more at this effect (12.9 d)".
 *
 * @param tried the costs are not those of the server: one may have been tried after the other, until the verdict turned
 */
export function sureWords(comparison: Compared | null, timeframe: string, tried = false): string {
  if (comparison === null) return 'no version before it is recorded'
  const { verdict, bars, bars_more: more, confidence } = comparison
  if (verdict !== 'not enough to tell')
    return `${formatNumber(confidence * 100)} % sure, ${tried ? 'if these costs were chosen beforehand' : 'however often one looks'}`
  if (bars === 0) return 'no bar is judged yet'
  if (!isDifferent(comparison)) return 'both did the same so far'
  if (more === null) return 'at this effect it takes more than ten million bars'
  // So many bars are what it would take; the last digits would pretend to know it.
  const rounded = Number(more.toPrecision(2))
  const length = lengthWords(rounded, timeframe)
  return `about ${barsWords(rounded)} more at this effect${length === null ? '' : ` (${length})`}`
}

/** The costs that a verdict was tried with, and what that means for it. */
export function triedWords({
  fee,
  slippage,
  confidence,
}: Pick<ScoreComparison, 'fee' | 'slippage' | 'confidence'>): string {
  const costs = `a fee of ${formatNumber(fee)} and a slippage of ${formatNumber(slippage)} basis points`
  const sure = `${formatNumber(confidence * 100)} %`
  return `Tried with ${costs}, from the address and not from the server. The ${sure} hold only for costs that were chosen beforehand.`
}

/** Why an asset is not among those that a version decided. */
export function undecidedWords({ isEnded, isFollowed }: { isEnded: boolean; isFollowed: boolean }): string {
  if (isEnded) return 'its replay ended before a bar was decided with it'
  return isFollowed ? 'no bar has closed with it yet' : 'no bar was decided with it'
}

/** The verdict as a title; without a version before there is none. */
export function verdictTitle(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'Nothing to compare with'
  return `${verdict.slice(0, 1).toUpperCase()}${verdict.slice(1)}`
}

/** False while no difference of a bar was other than 0, as far as the sums tell. */
function isDifferent({ mean, low, high }: Compared): boolean {
  return mean !== 0 || (low ?? 0) + (high ?? 0) !== 0
}

/** A number with its sign: "+0.0031", "-2.4", "0". */
export function signed(value: number, digits = 3): string {
  const said = formatNumber(value, digits)
  return value > 0 && said !== '0' ? `+${said}` : said
}

/** The same with as many decimals as tell parts of a width: two or three digits of it. "+0.013" of a width of 0.2. */
export function signedWithin(value: number, width: number): string {
  const decimals = width > 0 ? Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(width)))) : 2
  const said = value.toFixed(decimals)
  if (Number(said) === 0) return '0'
  return value > 0 ? `+${said}` : said
}

/** The mean difference of a bar and its band, in percent of equity. */
export function meanWords({ mean, low, high, confidence }: Compared): string {
  if (low === null || high === null) return `${signed(mean, 2)} % of equity a bar`
  const [middle, least, most] = [mean, low, high].map((value) => signedWithin(value, high - low))
  return `${middle} % of equity a bar; with ${formatNumber(confidence * 100)} % confidence the true mean is between ${least} and ${most} %`
}

/** 1.96: the deviations that leave out 5 %. */
const DEVIATIONS = 1.959964

/**
 * The range in which the true hit rate is with 95 % (Wilson's interval), as fractions. It takes entries as independent of each
 * other; those whose bars overlap are not, so that the range is rather too narrow.
 */
export function hitRange(rate: number, known: number, deviations = DEVIATIONS): readonly [number, number] {
  const square = deviations ** 2
  const middle = (rate + square / (2 * known)) / (1 + square / known)
  const reach = (deviations / (1 + square / known)) * Math.sqrt((rate * (1 - rate)) / known + square / (4 * known ** 2))
  return [Math.max(0, middle - reach), Math.min(1, middle + reach)]
}
