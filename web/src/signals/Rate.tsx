import type { CSSProperties } from 'react'
import { certainty, FEW, type Verdict, verdictOf } from './certainty.ts'
import classes from './Rate.module.css'

interface RateProps {
  hits: number
  known: number
  /** Rows of the table: of many rows a few look unusual by chance. */
  rows: number
  /** What is said of more than half, of fewer, and where nobody can tell. */
  words: Readonly<Record<Verdict, string>>
}

/** "53 % · 43 of 81 · cannot tell": a fraction with its range on a scale, and what may be concluded. */
export function Rate({ hits, known, rows, words }: RateProps) {
  if (known === 0) return <span className={classes.few}>not known yet</span>
  const sure = certainty(hits, known, rows)
  const verdict = verdictOf(sure)
  const few = known < FEW
  const place = { '--low': sure.low, '--high': sure.high, '--rate': sure.rate } as CSSProperties
  return (
    <span className={classes.rate} title={titleOf(sure)}>
      <span className={classes.scale} style={place} data-few={few || undefined} aria-hidden>
        <i />
        <b />
      </span>
      <span className={`figure ${classes.said}`}>
        {few ? '' : <strong>{Math.round(sure.rate * 100)} % </strong>}
        <span className={few ? '' : classes.count}>
          {hits} of {known}
        </span>
      </span>
      <span className={classes.verdict} data-verdict={verdict}>
        {few && verdict === 'unknown' ? 'too few to tell' : words[verdict]}
      </span>
    </span>
  )
}

function titleOf({ low, high }: { low: number; high: number }): string {
  return `The true rate is believed to be between ${Math.round(low * 100)} % and ${Math.round(high * 100)} %`
}
