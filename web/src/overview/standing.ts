import type { AssetData, AssetState } from 'vivienne-client'
import { type ClarityLevel, LEVELS } from '../parts/Level.tsx'

/** Standing of an asset: everything its place in the list depends on. */
export interface Standing {
  readonly asset: string
  /** The level shown: the one its confidence earns while a filter holds it, else the one in force. */
  readonly level: ClarityLevel
  readonly held: boolean
  readonly side: AssetState['side']
  /** Filters that hold it, in their order; empty unless it is held. */
  readonly holders: readonly Holder[]
  /** Points of confidence to the next level, with the decimal that is shown; above the last threshold, to 100. */
  readonly gap: number
  readonly status: AssetState['status']
  readonly exchange: string | null
  /** How its feed stands with the exchange; null without one. */
  readonly feedStatus: AssetState['feed_status']
  /** Why it is stale, or its feed not connected. */
  readonly trouble: string | null
  /** Version of the configuration it was decided with. */
  readonly version: number
}

/** A filter that holds an entry back. */
export interface Holder {
  readonly id: string
  readonly title: string
}

export function standingOf({ asset, agents, config_version }: AssetData): Standing | undefined {
  const agent = agents.VivienneAgent
  if (agent === undefined) return undefined
  const { data, config } = agent
  const held = isHeld(data)
  const { state_threshold_loaded, state_threshold_aim, state_threshold_bang } = config.settings
  const next = { idle: state_threshold_loaded, loaded: state_threshold_aim, aim: state_threshold_bang, bang: 100 }
  const level = held ? data.raw_clarity_level : data.clarity_level
  return {
    asset,
    level,
    held,
    side: data.side,
    holders: held ? holdersOf(data) : NO_HOLDERS,
    gap: Math.round((next[level] - data.signal_confidence * 100) * 10) / 10,
    status: data.status,
    exchange: data.exchange ?? null,
    feedStatus: data.feed_status ?? null,
    trouble: data.feed_status_reason ?? data.trouble?.message ?? null,
    version: config_version,
  }
}

const NO_HOLDERS: readonly Holder[] = []

function holdersOf({ blocked_by, explanation }: AssetState): Holder[] {
  const titles = new Map(explanation?.filters.map(({ id, title }) => [id, title]))
  return blocked_by.map((id) => ({ id, title: titles.get(id) ?? id }))
}

type Blocked = Pick<AssetState, 'blocked_by' | 'raw_clarity_level'>

/** A filter holds an entry that would be made. At raw level `idle` there is none worth a word. */
export function isHeld({ blocked_by, raw_clarity_level }: Blocked): boolean {
  return blocked_by.length > 0 && raw_clarity_level !== 'idle'
}

/** Order by urgency: by level, free before held, then by how little confidence is missing. */
export function byUrgency(one: Standing, other: Standing): number {
  return (
    LEVELS.indexOf(other.level) - LEVELS.indexOf(one.level) ||
    Number(one.held) - Number(other.held) ||
    Number(isQuiet(one)) - Number(isQuiet(other)) ||
    one.gap - other.gap ||
    byName(one, other)
  )
}

/** At aim or bang by data that is current; a held one is, too. */
export function isFiring({ level, status }: Standing): boolean {
  return status === 'live' && (level === 'aim' || level === 'bang')
}

/** Those that are, the most urgent first. */
export function firing(standings: readonly Standing[]): readonly Standing[] {
  return standings.filter(isFiring).sort(byUrgency)
}

/** Nothing will come of it before its data does. */
function isQuiet({ status }: Standing): boolean {
  return status !== 'live'
}

export function byName(one: Standing, other: Standing): number {
  return one.asset.localeCompare(other.asset, 'en', { numeric: true })
}

export function sameStanding(one: Standing | undefined, other: Standing): boolean {
  return (
    one !== undefined &&
    one.level === other.level &&
    one.held === other.held &&
    one.side === other.side &&
    one.holders.length === other.holders.length &&
    one.holders.every(({ id }, place) => id === other.holders[place]?.id) &&
    one.gap === other.gap &&
    one.status === other.status &&
    one.exchange === other.exchange &&
    one.feedStatus === other.feedStatus &&
    one.trouble === other.trouble &&
    one.version === other.version
  )
}

/** Number of assets at each level; those that are held or without data are counted separately. */
export function countsOf(standings: readonly Standing[]): { readonly word: CountWord; readonly count: number }[] {
  const counts = new Map<CountWord, number>()
  for (const one of standings) {
    const word = countWord(one)
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return COUNT_WORDS.filter((word) => counts.has(word) || ALWAYS.has(word)).map((word) => ({
    word,
    count: counts.get(word) ?? 0,
  }))
}

export type CountWord = ClarityLevel | 'held' | 'warming up' | 'paused' | 'stale'

const COUNT_WORDS: readonly CountWord[] = ['bang', 'aim', 'held', 'loaded', 'idle', 'warming up', 'paused', 'stale']
const ALWAYS = new Set<CountWord>(['bang', 'aim', 'loaded', 'idle'])

/** The word an asset counts under. */
export function countWord({ level, held, status }: Standing): CountWord {
  if (status === 'stale' || status === 'paused') return status
  if (status === 'warming_up') return 'warming up'
  return held ? 'held' : level
}
