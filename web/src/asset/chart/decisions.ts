import type { ChartBar } from 'vivienne-client'
import type { ClarityLevel } from '../../parts/Level.tsx'

/** What was decided on a bar, as it is drawn. */
export interface BarDecision {
  /** The level; of a held entry the one its confidence earns. */
  readonly level: ClarityLevel
  readonly side: ChartBar['side']
  /** Whether a filter held the entry back. */
  readonly held: boolean
}

/** A decision to enter, at the first of the bars that say the same. */
export interface Entry extends BarDecision {
  readonly index: number
}

/** The decision on a bar. At raw level `idle` there is no entry that a filter could hold. */
export function decisionOn({ clarity_level, raw_clarity_level, side, blocked }: ChartBar): BarDecision {
  const held = blocked && raw_clarity_level !== 'idle'
  return { level: held ? raw_clarity_level : clarity_level, side, held }
}

/** Where aim and bang begin, or turn. */
export function entries(decisions: readonly BarDecision[]): Entry[] {
  return decisions.flatMap((decision, index) => {
    if (decision.level !== 'aim' && decision.level !== 'bang') return []
    const before = decisions[index - 1]
    const goesOn = before?.level === decision.level && before.side === decision.side && before.held === decision.held
    return goesOn ? [] : [{ ...decision, index }]
  })
}
