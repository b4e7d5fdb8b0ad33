import type { CSSProperties } from 'react'
import { Flash } from '../parts/Flash.tsx'
import classes from './Counts.module.css'
import { type CountWord, countsOf, type Standing } from './standing.ts'

const COLORS: Readonly<Record<CountWord, string>> = {
  bang: 'var(--v-bang)',
  aim: 'var(--v-aim)',
  held: 'var(--v-text)',
  loaded: 'var(--v-loaded)',
  idle: 'var(--v-dimmed)',
  'warming up': 'var(--v-warn)',
  paused: 'var(--v-warn)',
  stale: 'var(--v-warn)',
}

/** "1 bang, 2 aim, 5 loaded, 42 idle". */
export function Counts({ standings }: { standings: readonly Standing[] }) {
  return (
    <ul className={`${classes.counts} fresh`} aria-label="Assets by level">
      {countsOf(standings).map(({ word, count }) => (
        <li
          key={word}
          className={classes.count}
          data-none={count === 0 || undefined}
          data-word={word}
          style={{ '--color': COLORS[word] } as CSSProperties}
        >
          <Flash value={count}>{count}</Flash> {word}
        </li>
      ))}
    </ul>
  )
}
