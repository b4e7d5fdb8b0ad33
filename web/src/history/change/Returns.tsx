import type { HorizonSummary, OutcomeSummary, VersionOutcome } from 'vivienne-client'
import { formatNumber, formatPercent } from '../../parts/format.ts'
import { barsWords, hitRange, lengthWords, signed } from '../outcomeWords.ts'
import { Heads } from './Entries.tsx'
import { sidesOf } from './sides.ts'
import classes from './Tables.module.css'

/** Returns of the entries after some bars, with hit rate, beside those of the version before. */
export function Returns({ outcome }: { outcome: VersionOutcome }) {
  const sides = sidesOf(outcome)
  return (
    <table className={classes.table}>
      <caption>What came of each entry</caption>
      <Heads sides={sides} first="After" columns={['return', 'hit rate']} />
      <tbody>
        {outcome.now.outcomes.returns.map(({ bars }, row) => (
          <tr key={bars}>
            <th scope="row">
              {barsWords(bars)}
              <small>{lengthWords(bars, outcome.timeframe)}</small>
            </th>
            {sides.map(({ version, made }) => (
              <ReturnCells key={version} found={made.outcomes.returns[row]} />
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

function ReturnCells({ found }: { found: HorizonSummary | undefined }) {
  const { known = 0, mean_return: mean = null, hit_rate: rate = null } = found ?? {}
  if (mean === null || rate === null)
    return (
      <td colSpan={2} data-first data-quiet>
        cannot tell yet
        <small>no entry is that old</small>
      </td>
    )
  const [low, high] = hitRange(rate, known)
  return (
    <>
      <td className="figure" data-first>
        {signed(mean)} %<small>mean of {known}</small>
      </td>
      <td className="figure">
        {formatPercent(rate, 2)}
        <small>
          {Math.round(low * 100)} to {Math.round(high * 100)} %
        </small>
      </td>
    </>
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
