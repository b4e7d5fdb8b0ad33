import type { ChartBar } from 'vivienne-client'

type BarSource = NonNullable<ChartBar['source']>

/** Weakest last. */
const SOURCES: readonly (BarSource | null)[] = [null, 'streamed', 'pushed', 'filled', 'incomplete']

/** The source of a bar that is made of several. */
export function weakest(sources: readonly (BarSource | null)[]): BarSource | null {
  return SOURCES[Math.max(0, ...sources.map((source) => SOURCES.indexOf(source)))] ?? null
}

/** A source that somebody who looks at the bar has to know of. */
export type Unusual = 'filled' | 'incomplete'

/** What is unusual about where a bar came from; null for nothing. Bars of before the start are always asked for. */
export function unusual({ source, recomputed }: Pick<ChartBar, 'source' | 'recomputed'>): Unusual | null {
  if (source === 'incomplete') return source
  return source === 'filled' && !recomputed ? source : null
}

export const SOURCE_WORDS: Readonly<Record<Unusual, string>> = { filled: 'Filled', incomplete: 'Incomplete' }

export const SOURCE_HINTS: Readonly<Record<Unusual, string>> = {
  filled:
    'Some of its minutes were missed, or came before the start, and were asked for. They are those of the exchange.',
  incomplete: 'Some of its trades or minutes could not be had: the bar may differ from that of the market.',
}
