import type { JudgedSpan } from 'vivienne-client/record'
import { beginningOf } from '../parts/days.ts'
import { chosenAssets, ignoredDaysOf } from './filter.ts'

const DAY = 86_400_000

/** Spans that end with the newest bar: word in the address, days (null for everything), title. */
export const SPANS = [
  { word: '1d', days: 1, title: 'Last 24 hours' },
  { word: '7d', days: 7, title: 'Last 7 days' },
  { word: '30d', days: 30, title: 'Last 30 days' },
  { word: '90d', days: 90, title: 'Last 90 days' },
  { word: '365d', days: 365, title: 'Last year' },
  { word: 'all', days: null, title: 'Everything recorded' },
] as const
export const DEFAULT_SPAN = '30d'

/** Which bars are judged, as an address asks for them. */
export interface ChosenSpan {
  readonly assets?: readonly string[]
  /** Word of a span that ends with the newest bar; `days` if the address has days of the calendar. */
  readonly word: (typeof SPANS)[number]['word'] | 'days'
  readonly from?: string
  readonly to?: string
}

/** The span of an address; what it says wrongly counts as not said. Its dates are days on the clock of the viewer. */
export function spanOf(address: URLSearchParams): ChosenSpan {
  const assets = chosenAssets(address)
  const [from, to] = [beginningOf(address.get('since'), 0), beginningOf(address.get('until'), 1)]
  const days = from !== undefined || to !== undefined
  return {
    ...(assets === undefined ? {} : { assets }),
    word: days ? 'days' : (SPANS.find(({ word }) => word === address.get('span'))?.word ?? DEFAULT_SPAN),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
}

/** What an address says wrongly of the span, in sentences. */
export function ignoredSpanOf(address: URLSearchParams): string[] {
  const word = address.get('span')
  const isKnown = !word || SPANS.some((span) => span.word === word)
  const words = SPANS.map((span) => span.word).join(', ')
  return [...(isKnown ? [] : [`"${word}" is not a span: there are ${words}`]), ...ignoredDaysOf(address)]
}

/**
 * The span as the record is asked for it.
 *
 * @param newest when the newest bar opened, in ms: market time, which in a replay is not that of the clock
 */
export function judgedSpan({ assets, word, from, to }: ChosenSpan, newest: number): JudgedSpan {
  const days = SPANS.find((span) => span.word === word)?.days ?? null
  const begin = days === null ? from : new Date(newest - days * DAY).toISOString()
  return { asset: assets, from: begin, to }
}
