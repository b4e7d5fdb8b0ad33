import { UnstyledButton } from '@mantine/core'
import type { CSSProperties, ReactNode } from 'react'
import { Flash } from '../parts/Flash.tsx'
import { Side } from '../parts/Side.tsx'
import classes from './Counts.module.css'
import { holdersOf, type OverviewFilter, sidesOf } from './filtering.ts'
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

interface CountsProps {
  standings: readonly Standing[]
  filter: OverviewFilter
  toggle: Readonly<Record<'word' | 'side' | 'holder', (word: string) => void>>
}

/** "1 bang, 2 aim, 5 loaded, 42 idle"; each of them shows only its assets. */
export function LevelCounts({ standings, filter, toggle }: CountsProps) {
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
          <Toggle on={filter.words.has(word)} title={word} onClick={() => toggle.word(word)}>
            <Flash value={count}>{count}</Flash> {word}
          </Toggle>
        </li>
      ))}
    </ul>
  )
}

/** "Held by Volatility: 7 · Trend: 2" and "long 12 · short 8 · no side 30"; each of them shows only its assets. */
export function HolderCounts({ standings, filter, toggle }: CountsProps) {
  const holders = holdersOf(standings)
  // What is asked for stays there, to be taken back, when nothing is held by it any more.
  const gone = [...filter.holders].filter((id) => holders.every((holder) => holder.id !== id))
  const all = [...holders, ...gone.map((id) => ({ id, title: titled(id), count: 0 }))]
  return (
    <>
      <ul className={`${classes.small} fresh`} aria-label="Assets by side">
        {sidesOf(standings).map(({ side, count }) => (
          <li key={side}>
            <Toggle on={filter.sides.has(side)} title={`side: ${side}`} onClick={() => toggle.side(side)}>
              <Side side={side} /> <span className="figure">{count}</span>
            </Toggle>
          </li>
        ))}
      </ul>
      <ul className={`${classes.small} ${classes.holders} fresh`} aria-label="Assets by what holds them">
        {all.length === 0 && <li className={classes.nothing}>nothing is held</li>}
        {all.map(({ id, title, count }) => (
          <li key={id}>
            <Toggle on={filter.holders.has(id)} title={`held by ${title}`} onClick={() => toggle.holder(id)}>
              held by <strong>{title}</strong>: <span className="figure">{count}</span>
            </Toggle>
          </li>
        ))}
      </ul>
    </>
  )
}

function titled(id: string): string {
  return id.charAt(0).toUpperCase() + id.slice(1).replaceAll('_', ' ')
}

interface ToggleProps {
  on: boolean
  title: string
  onClick: () => void
  children: ReactNode
}

function Toggle({ on, title, onClick, children }: ToggleProps) {
  return (
    <UnstyledButton
      className={classes.toggle}
      aria-pressed={on}
      title={on ? `Show others than ${title} again` : `Show only ${title}`}
      onClick={onClick}
    >
      {children}
    </UnstyledButton>
  )
}
