import { LEVELS } from '../parts/Level.tsx'
import { byName, byUrgency, type CountWord, countWord, type Holder, type Standing } from './standing.ts'

/** What lets assets through: any word of a kind, of every kind that has words. */
export interface OverviewFilter {
  /** Levels and states, as they are counted. */
  readonly words: ReadonlySet<string>
  readonly sides: ReadonlySet<string>
  /** Ids of the filters that hold. */
  readonly holders: ReadonlySet<string>
  /** Part of the name, in capitals. */
  readonly name: string
}

export function passes(standing: Standing, { words, sides, holders, name }: OverviewFilter): boolean {
  return (
    (words.size === 0 || words.has(countWord(standing))) &&
    (sides.size === 0 || sides.has(standing.side)) &&
    (holders.size === 0 || standing.holders.some(({ id }) => holders.has(id))) &&
    standing.asset.toUpperCase().includes(name)
  )
}

const STATUS_WORDS: readonly string[] = ['warming up', 'paused', 'stale'] satisfies CountWord[]

/** True if a word that assets are counted under is a status, not a level. */
export function isStatusWord(word: string): boolean {
  return STATUS_WORDS.includes(word)
}

/** Orders of the list, by their names in the address. */
export const ORDERS = {
  urgency: { title: 'Most urgent first', compare: byUrgency },
  name: { title: 'By name', compare: byName },
  level: { title: 'By level in force', compare: byLevel },
  side: { title: 'By side', compare: by(({ side }) => ['long', 'short', 'none'].indexOf(side)) },
  holder: { title: 'By what holds', compare: by(({ holders }) => holders[0]?.title ?? LAST) },
  status: { title: 'By status', compare: by(({ status }) => STATUSES.indexOf(status)) },
} as const
export type Order = keyof typeof ORDERS
export const ORDER_NAMES = Object.keys(ORDERS) as Order[]

/** Sorts behind every title. */
const LAST = '\uffff'
/** What needs a look comes first. */
const STATUSES: readonly Standing['status'][] = ['stale', 'paused', 'warming_up', 'ended', 'live']

/** By the level that is in force: one that is held is at idle. */
function byLevel(one: Standing, other: Standing): number {
  const level = ({ level, held }: Standing) => (held ? 0 : LEVELS.indexOf(level))
  return level(other) - level(one) || byUrgency(one, other)
}

/** By a key, and among equal ones by urgency. */
function by(key: (standing: Standing) => number | string) {
  return (one: Standing, other: Standing): number => {
    const [left, right] = [key(one), key(other)]
    return left < right ? -1 : left > right ? 1 : byUrgency(one, other)
  }
}

/** How many are on each side. */
export function sidesOf(standings: readonly Standing[]): { readonly side: Standing['side']; readonly count: number }[] {
  return (['long', 'short', 'none'] as const).map((side) => ({
    side,
    count: standings.filter((one) => one.side === side).length,
  }))
}

/** How many each filter holds, the busiest first. One that several hold counts for each of them. */
export function holdersOf(standings: readonly Standing[]): (Holder & { readonly count: number })[] {
  const found = new Map<string, Holder & { count: number }>()
  for (const holder of standings.flatMap(({ holders }) => holders)) {
    found.set(holder.id, { ...holder, count: (found.get(holder.id)?.count ?? 0) + 1 })
  }
  return [...found.values()].sort((one, other) => other.count - one.count || one.title.localeCompare(other.title, 'en'))
}
