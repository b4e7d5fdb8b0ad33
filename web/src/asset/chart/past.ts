import type { Chart, ChartBar } from 'vivienne-client'

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
  return fallen.length === 0 ? past : { ...past, bars: [...past.bars, ...fallen].slice(-MOST_KEPT) }
}

function joined(past: Past, live: Chart): Past {
  const [first, last] = [live.bars[0]?.time, past.bars.at(-1)?.time]
  return first !== undefined && last !== undefined && last >= first ? { ...past, meets: true } : past
}

function withChanges(one: Chart['changes'], other: Chart['changes']): Chart['changes'] {
  const all = new Map([...one, ...other].map((change) => [change.version, change]))
  return [...all.values()].sort((left, right) => left.version - right.version)
}
