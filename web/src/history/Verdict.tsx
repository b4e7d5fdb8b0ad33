import { IconHourglassEmpty, IconMinus, IconTrendingDown, IconTrendingUp } from '@tabler/icons-react'
import type { VersionOutcome } from 'vivienne-client'
import { unbroken } from '../parts/format.ts'
import { sureWords, verdictTitle } from './outcomeWords.ts'
import classes from './Verdict.module.css'

const ICONS = { better: IconTrendingUp, worse: IconTrendingDown, 'not enough to tell': IconHourglassEmpty }

interface VerdictProps {
  outcome: Pick<VersionOutcome, 'comparison' | 'timeframe'>
  size?: 'md' | 'xl'
  /** Other costs than those of the server are tried. */
  tried?: boolean
}

/** Whether a version is better than the one before it, as the server says, and how sure that is. Arrow, word and colour say the same. */
export function Verdict({ outcome: { comparison, timeframe }, size = 'md', tried = false }: VerdictProps) {
  const verdict = comparison?.verdict
  const Icon = verdict === undefined ? IconMinus : ICONS[verdict]
  return (
    <span className={classes.verdict} data-verdict={verdict} data-size={size}>
      <span className={classes.word}>
        <Icon size="1.15em" stroke={2} aria-hidden /> {verdictTitle(verdict)}
      </span>
      {size === 'md' ? ': ' : ' '}
      <span className={classes.sure}>{unbroken(sureWords(comparison, timeframe, tried))}</span>
    </span>
  )
}
