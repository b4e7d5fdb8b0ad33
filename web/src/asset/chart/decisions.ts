import type { ChartBar } from 'vivienne-client'
import type { ClarityLevel } from '../../parts/Level.tsx'

/** The decision on a bar, as it is drawn. */
export interface DrawnDecision {
  /** The level; of a held entry the one its confidence earns. */
  readonly level: ClarityLevel
  readonly side: ChartBar['side']
  /** True if a filter held the entry back. */
  readonly held: boolean
  /** Status of the decision. */
  readonly status: ChartBar['status']
  /** True if nobody made the decision when the bar closed: it was recomputed with the configuration in force. */
  readonly recomputed: boolean
}

/** A decision to enter, at the first of the bars that say the same. */
export interface Entry extends DrawnDecision {
  readonly index: number
}

/** The decision on a bar. */
export function decisionOn(bar: ChartBar): DrawnDecision {
  const { clarity_level, raw_clarity_level, side, held, status, recomputed } = bar
  return { level: held ? raw_clarity_level : clarity_level, side, held, status, recomputed }
}

/** True if there is a decision on a bar, also if a pause kept it from taking effect. */
export function isDecided({ status }: Pick<ChartBar, 'status'>): boolean {
  return status === 'live' || status === 'paused'
}

/** Reason why a bar has no decision, or `paused`; null for a live decision. */
export function statusWords({ status }: Pick<ChartBar, 'status'>): string | null {
  if (status === 'warming_up') return 'not decided: warming up'
  if (status === 'undecidable') return 'not decided: bars before it are not kept'
  return status === 'paused' ? 'paused' : null
}

/** Bars on which aim or bang begins or changes. A paused decision enters nothing. */
export function entries(decisions: readonly DrawnDecision[]): Entry[] {
  return decisions.flatMap((decision, index) => {
    if (decision.status !== 'live' || (decision.level !== 'aim' && decision.level !== 'bang')) return []
    const before = decisions[index - 1]
    const goesOn =
      before?.level === decision.level &&
      before.side === decision.side &&
      before.held === decision.held &&
      before.status === decision.status
    return goesOn ? [] : [{ ...decision, index }]
  })
}
