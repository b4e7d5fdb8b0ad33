import type { DecisionFilter } from 'vivienne-client/record'
import { beginningOf } from '../parts/days.ts'

/** Names of the filters in the address. */
export const FILTER_NAMES = ['asset', 'kind', 'level', 'side', 'by', 'version', 'since', 'until'] as const
export type FilterName = (typeof FILTER_NAMES)[number]

/** Which signals are of interest, as the record is asked for them. */
export interface SignalFilter extends DecisionFilter {
  readonly asset?: readonly string[]
}

const LEVELS = ['loaded', 'aim', 'bang'] as const
const SIDES = ['long', 'short'] as const

/**
 * The filter an address asks for; what it says wrongly counts as not said. Its dates are days on the clock of the viewer.
 *
 * @param filters ids of all filters; while there are none it is not known which there are
 */
export function filterOf(address: URLSearchParams, filters: readonly string[] = []): SignalFilter {
  const said = (name: FilterName) => address.get(name) || undefined
  const kind = said('kind')
  const version = Number(said('version'))
  const by = said('by')
  return given({
    asset: chosenAssets(address),
    held: kind === 'fired' ? false : kind === 'held' ? true : undefined,
    raw_level: LEVELS.find((level) => level === said('level')),
    side: SIDES.find((side) => side === said('side')),
    blocked_by: by === undefined || filters.length === 0 || filters.includes(by) ? by : undefined,
    version: isVersion(said('version') ?? '') ? version : undefined,
    from: beginningOf(address.get('since'), 0),
    to: beginningOf(address.get('until'), 1),
  })
}

/** True for what may be the version of a configuration. */
export function isVersion(text: string): boolean {
  return /^\d+$/.test(text.trim()) && Number.isSafeInteger(Number(text)) && Number(text) > 0
}

/**
 * What an address says wrongly, in sentences: all of it is left out of the filter.
 *
 * @param filters ids of all filters; while there are none it is not known which there are
 */
export function ignoredOf(address: URLSearchParams, filters: readonly string[] = []): string[] {
  const among = (name: string, what: string, known: readonly string[]) => {
    const text = address.get(name)
    return !text || known.length === 0 || known.includes(text)
      ? []
      : [`"${text}" is not ${what}: there are ${listed(known)}`]
  }
  const version = address.get('version')
  return [
    ...among('kind', 'a kind', ['fired', 'held']),
    ...among('level', 'a level', LEVELS),
    ...among('side', 'a side', SIDES),
    ...among('by', 'a filter', filters),
    ...(!version || isVersion(version) ? [] : [`"${version}" is not a version: it is a number from 1 on`]),
    ...ignoredDaysOf(address),
  ]
}

/** The same of the days alone. */
export function ignoredDaysOf(address: URLSearchParams): string[] {
  return ['since', 'until'].flatMap((name) => {
    const text = address.get(name)
    return !text || beginningOf(text, 0) !== undefined ? [] : [`"${text}" is not a day, such as 2026-05-04`]
  })
}

function listed(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' and $1')
}

/** The assets that an address names, as in `asset=BTC,ETH`; undefined for all of them. */
export function chosenAssets(address: URLSearchParams): readonly string[] | undefined {
  const names = (address.get('asset') ?? '').split(',').filter((name) => name !== '')
  return names.length > 0 ? names : undefined
}

/** True if it leaves anything out. */
export function isNarrowed(filter: SignalFilter): boolean {
  return Object.keys(filter).length > 0
}

function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
