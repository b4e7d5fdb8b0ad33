import type { HorizonSummary, OutcomeSummary, VersionOutcome } from 'vivienne-client'
import { formatNumber } from '../../parts/format.ts'
import { certainty, FEW, luckOf, verdictOf } from '../../signals/certainty.ts'
import { barsWords, lengthWords, signed, signedWithin } from '../outcomeWords.ts'
import { Heads } from './Entries.tsx'
import { sidesOf } from './sides.ts'
import classes from './Tables.module.css'

/** Returns of the entries after some bars, with hit rate, beside those of the version before. */
export function Returns({ outcome }: { outcome: VersionOutcome }) {
  const sides = sidesOf(outcome)
  const { returns } = outcome.now.outcomes
  return (
    <table className={classes.table}>
      <caption>What came of each entry</caption>
      <Heads sides={sides} first="After" columns={['return', 'hit rate']} />
      <tbody>
        {returns.map(({ bars }, row) => (
          <tr key={bars}>
            <th scope="row">
              {barsWords(bars)}
              <small>{lengthWords(bars, outcome.timeframe)}</small>
            </th>
            {sides.map(({ version, made }) => (
              <ReturnCells key={version} found={made.outcomes.returns[row]} figures={sides.length * returns.length} />
            ))}
          </tr>
        ))}
        <tr>
          <th scope="row">
            Largest move
            <small>for, against</small>
          </th>
          {sides.map(({ version, made }) => (
            <MoveCell key={version} outcomes={made.outcomes} />
          ))}
        </tr>
      </tbody>
    </table>
  )
}

interface ReturnCellsProps {
  found: HorizonSummary | undefined
  /** Of the table: of many figures a few look unusual by chance. */
  figures: number
}

function ReturnCells({ found, figures }: ReturnCellsProps) {
  const { known = 0, mean_return: mean = null, deviation = null, hit_rate: rate = null } = found ?? {}
  if (mean === null || rate === null)
    return (
      <td colSpan={2} data-first data-quiet>
        cannot tell yet
        <small>no entry is that old</small>
      </td>
    )
  const hits = Math.round(rate * known)
  if (known < FEW || deviation === null)
    return (
      <>
        <td className="figure" data-first data-quiet>
          {signed(mean)} %<small>too few to tell</small>
        </td>
        <td className="figure" data-quiet>
          {hits} of {known}
          <small>too few to tell</small>
        </td>
      </>
    )
  const luck = luckOf(deviation, known, figures)
  return (
    <>
      <td className="figure" data-first data-quiet={Math.abs(mean) <= luck || undefined}>
        {signedWithin(mean, luck)} %<small>± {signedWithin(luck, luck).replace('+', '')}</small>
        <small>{Math.abs(mean) <= luck ? 'cannot tell' : mean > 0 ? 'a gain' : 'a loss'}</small>
      </td>
      <HitCell hits={hits} known={known} figures={figures} />
    </>
  )
}

const HIT_WORDS = { more: 'above a half', fewer: 'below a half', unknown: 'cannot tell' }

function HitCell({ hits, known, figures }: { hits: number; known: number; figures: number }) {
  const sure = certainty(hits, known, figures)
  const verdict = verdictOf(sure)
  const [rate, low, high] = [sure.rate, sure.low, sure.high].map((each) => Math.round(each * 100))
  return (
    <td className="figure" data-quiet={verdict === 'unknown' || undefined} title={`${hits} of ${known}`}>
      {rate} %
      <small>
        {low} to {high} %
      </small>
      <small>{HIT_WORDS[verdict]}</small>
    </td>
  )
}

function MoveCell({ outcomes: { largest_gain_atr: gain, largest_loss_atr: loss } }: { outcomes: OutcomeSummary }) {
  if (gain === null || loss === null)
    return (
      <td colSpan={2} data-first data-quiet>
        cannot tell yet
        <small>no entry is 96 bars old</small>
      </td>
    )
  return (
    <td className="figure" colSpan={2} data-first>
      {formatNumber(gain, 3)}, {formatNumber(loss, 3)} ATR
      <small>mean, within 96 bars</small>
    </td>
  )
}
