import type { DecisionPreview, LevelCounts } from 'vivienne-client'
import { LEVELS } from '../parts/Level.tsx'

/** Counts of a preview; of several, without sizes where these differ. */
export type Counted = Omit<LevelCounts, 'sizes'> & { readonly sizes: LevelCounts['sizes'] | null }

/** A preview, or several added up. */
export interface Effect {
  readonly bars: number
  /** Bars that both configurations decide; everything is counted on these. */
  readonly compared: number
  readonly differing: number
  readonly now: Counted
  readonly after: Counted
}

/** A preview as counts; null where nothing was decided. */
export function effectOf({ bars, compared, different_bars, now, then: after }: DecisionPreview): Effect | null {
  if (!compared || now === undefined || after === undefined) return null
  return { bars: bars ?? 0, compared, differing: different_bars ?? 0, now, after }
}

/** All of them together; exposure is the mean over all bars. Null for none. */
export function totalOf(effects: readonly Effect[]): Effect | null {
  if (effects.length === 0) return null
  const sum = (value: (effect: Effect) => number) => effects.reduce((total, effect) => total + value(effect), 0)
  const compared = sum((effect) => effect.compared)
  const side = (which: 'now' | 'after'): Counted => {
    const add = (name: keyof Omit<LevelCounts, 'sizes'>) => sum((effect) => effect[which][name])
    const [first, ...others] = effects.map((effect) => effect[which].sizes)
    const alike = others.every((sizes) => LEVELS.every((level) => sizes?.[level] === first?.[level]))
    return {
      idle: add('idle'),
      loaded: add('loaded'),
      aim: add('aim'),
      bang: add('bang'),
      undecided: add('undecided'),
      held: add('held'),
      entries: add('entries'),
      exposure: sum((effect) => effect[which].exposure * effect.compared) / compared,
      sizes: alike ? (first ?? null) : null,
    }
  }
  return {
    bars: sum((effect) => effect.bars),
    compared,
    differing: sum((effect) => effect.differing),
    now: side('now'),
    after: side('after'),
  }
}
