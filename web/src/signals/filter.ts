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

/** The filter an address asks for; what it says wrongly counts as not said. Its dates are days on the clock of the viewer. */
export function filterOf(address: URLSearchParams): SignalFilter {
  const said = (name: FilterName) => address.get(name) || undefined
  const kind = said('kind')
  const version = Number(said('version'))
  return given({
    asset: chosenAssets(address),
    held: kind === 'fired' ? false : kind === 'held' ? true : undefined,
    raw_level: LEVELS.find((level) => level === said('level')),
    side: SIDES.find((side) => side === said('side')),
    blocked_by: said('by'),
    version: Number.isSafeInteger(version) && version > 0 ? version : undefined,
    from: beginningOf(address.get('since'), 0),
    to: beginningOf(address.get('until'), 1),
  })
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
