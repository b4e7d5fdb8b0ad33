import type { Chart, ChartBar } from 'vivienne-client'
import { barLength } from './bars.ts'

/** Older bars than the chart follows, as far back as somebody has looked. Nothing here knows about fetching or drawing. */
export interface Past {
  /** Oldest first. */
  readonly bars: readonly ChartBar[]
  readonly changes: Chart['changes']
  /** True if they meet the bars that the chart follows; otherwise they are shown alone. */
  readonly meets: boolean
  /** True if there are no older ones. */
  readonly whole: boolean
}

/** More are not kept: those at the other end go. */
export const MOST_KEPT = 20_000

/** Bars of a page. */
export const PAGE = 500
/** Nearer to an edge than this, in bars, the next page is fetched. */
export const NEAR = 60
/** The most bars that the server gives at once. */
const MOST_AT_ONCE = 1_000

/** More bars are not loaded before a part is shown. */
const MOST_OF_A_PART = 5_000

/** None yet: what the chart follows is all there is. */
export const NO_PAST: Past = { bars: [], changes: [], meets: true, whole: false }

/** Bars up to a moment, all of which are to be held. */
export interface Part {
  readonly bars: number
  /** A moment in the last of them; null for the newest bar. */
  readonly end: string | null
}

/** Page that is to be fetched. */
export interface Wanted {
  /** It has the bars that open before this time, */
  readonly before: string
  /** at most so many. */
  readonly limit: number
  /** True if it goes before the bars that are held, false if it takes their place. */
  readonly joins: boolean
}

/** What has to be fetched next until a part is held; null once it is, or as much of it as there is. */
export function wantedFor(past: Past | null, live: Chart, part: Part): Wanted | null {
  const { end } = part
  const bars = Math.min(part.bars, MOST_OF_A_PART)
  const length = barLength(live.timeframe)
  const held = holding(past, live, end)
  const first = shownOf(held, live).bars[0]?.time
  if (first === undefined || held?.whole === true) return null
  const last = end ?? live.bars.at(-1)?.time ?? first
  const missing = Math.ceil((Date.parse(first) - Date.parse(last)) / length) + bars - 1
  if (missing <= 0) return null
  if (missing - bars < PAGE) {
    // With some to spare, or the next page would be fetched at once.
    return { before: first, limit: Math.min(MOST_AT_ONCE, Math.max(PAGE, missing + NEAR)), joins: true }
  }
  // As many bars after the part as before it.
  const after = Math.max(NEAR, Math.floor((MOST_AT_ONCE - bars) / 2))
  const before = new Date(Date.parse(last) + (after + 1) * length).toISOString()
  return { before, limit: MOST_AT_ONCE, joins: false }
}

/** The past as far as it is of use up to a moment: bars shown alone are of none beyond their last one. */
export function holding(past: Past | null, live: Chart, end: string | null): Past | null {
  if (past === null || past.meets) return past
  const last = Date.parse(past.bars.at(-1)?.time ?? '')
  return end !== null && Date.parse(end) < last + barLength(live.timeframe) ? past : null
}

/** Bars of a page with which the past begins. */
export function begunWith(page: Chart, live: Chart): Past {
  const { bars, changes } = page
  return joined({ bars, changes, meets: false, whole: page.next == null }, live)
}

/** The past with a page of older bars before it. */
export function withOlder(past: Past, page: Chart): Past {
  const first = past.bars[0]?.time
  const older = page.bars.filter((bar) => first === undefined || bar.time < first)
  const bars = [...older, ...past.bars]
  return {
    bars: bars.slice(0, MOST_KEPT),
    changes: withChanges(past.changes, page.changes),
    meets: past.meets && bars.length <= MOST_KEPT,
    whole: page.next == null,
  }
}

/** The past with a page of newer bars behind it. */
export function withNewer(past: Past, page: Chart, live: Chart): Past {
  const last = past.bars.at(-1)?.time ?? ''
  const newer = page.bars.filter((bar) => bar.time > last)
  const bars = [...past.bars, ...newer]
  const cut = bars.length > MOST_KEPT
  // With nothing in between, what the chart follows comes next.
  return joined(
    {
      bars: bars.slice(-MOST_KEPT),
      changes: withChanges(past.changes, page.changes),
      meets: newer.length === 0,
      whole: past.whole && !cut,
    },
    live,
  )
}

/** What is shown: the past and the bars that the chart follows, or while they do not meet, the past alone. */
export function shownOf(past: Past | null, live: Chart): Chart {
  if (past === null || past.bars.length === 0) return live
  if (!past.meets) return { ...live, bars: [...past.bars], changes: past.changes, forming: null }
  const changes = withChanges(past.changes, live.changes)
  const first = live.bars[0]?.time
  return {
    ...live,
    bars: [...past.bars.filter((bar) => first === undefined || bar.time < first), ...live.bars],
    changes,
  }
}

/**
 * The past with those bars of the chart it follows that fall away at its left.
 *
 * @param before the chart as it was
 */
export function withFallen(past: Past | null, before: Chart | undefined, live: Chart): Past | null {
  if (past === null || !past.meets || before === undefined) return past
  const [first, last] = [live.bars[0]?.time ?? '', past.bars.at(-1)?.time ?? '']
  const fallen = before.bars.filter((bar) => bar.time < first && bar.time > last)
  if (fallen.length === 0) return past
  // After a pause, those that closed meanwhile may be in neither.
  const next = Date.parse(before.bars.at(-1)?.time ?? '') + barLength(live.timeframe)
  const meets = Date.parse(first) <= next
  return { ...past, bars: [...past.bars, ...fallen].slice(-MOST_KEPT), meets }
}

function joined(past: Past, live: Chart): Past {
  const [first, last] = [live.bars[0]?.time, past.bars.at(-1)?.time]
  return first !== undefined && last !== undefined && last >= first ? { ...past, meets: true } : past
}

function withChanges(one: Chart['changes'], other: Chart['changes']): Chart['changes'] {
  const all = new Map([...one, ...other].map((change) => [change.version, change]))
  return [...all.values()].sort((left, right) => left.version - right.version)
}
