import { Link } from 'react-router'
import type { VersionOutcome } from 'vivienne-client'
import { formatBarTime, formatBarUtc, unbroken } from '../../parts/format.ts'
import { CostsChoice } from '../../signals/costs/CostsChoice.tsx'
import { useIsTried } from '../../signals/costs/costs.ts'
import { barsBetween, barsWords, lengthWords, meanWords, triedWords } from '../outcomeWords.ts'
import { Verdict } from '../Verdict.tsx'
import { changeAddress } from './address.ts'
import classes from './ChangePage.module.css'
import { Curves } from './Curves.tsx'
import { Entries, Held } from './Entries.tsx'
import { Returns } from './Returns.tsx'

interface CameProps {
  outcome: VersionOutcome
  followed: boolean
}

/** What came of a version: the verdict, curves, entries, what was held, and returns. */
export function Came({ outcome, followed }: CameProps) {
  const { asset, comparison, before, version } = outcome
  const isTried = useIsTried()
  return (
    <>
      <section className={`panel ${classes.verdict}`} aria-label="Verdict">
        <Verdict outcome={outcome} size="xl" tried={isTried} />
        {isTried && comparison !== null && <p className={classes.tried}>{triedWords(comparison)}</p>}
        {comparison !== null && before !== null && (
          <p>
            Against <Link to={changeAddress(before, asset)}>version {before}</Link> on the same{' '}
            {barsWords(comparison.bars)}
            {comparison.bars > 0 && `: ${unbroken(meanWords(comparison))}`}.
          </p>
        )}
        <Span outcome={outcome} followed={followed} />
        <p className={classes.note}>
          It is a simulation: nobody traded.{comparison !== null && ' Orders are filled at the next open.'}
        </p>
      </section>
      {comparison !== null && before !== null && comparison.curve.times.length > 1 && (
        <section className={`panel ${classes.part}`} aria-label="Curves">
          <Curves comparison={comparison} now={`version ${version}`} before={`version ${before}`} />
        </section>
      )}
      <div className={classes.tables}>
        <section className={`panel ${classes.part}`} aria-label="Entries by level and side">
          <Entries outcome={outcome} />
        </section>
        <section className={`panel ${classes.part}`} aria-label="Held back by filters">
          <Held outcome={outcome} />
        </section>
        <section className={`panel ${classes.part}`} aria-label="Outcome per entry">
          <Returns outcome={outcome} />
          <p className={classes.note}>
            Before costs, from the next open. Below each figure is how far luck alone may take it, with 95 % over the
            whole table; entries whose bars overlap share their luck, so it may be more. What can be relied on, however
            often one looks, is the verdict.
          </p>
        </section>
      </div>
      {comparison !== null && (
        <section className={`panel ${classes.part}`} aria-label="Costs">
          <CostsChoice costs={comparison} />
        </section>
      )}
    </>
  )
}

/** How long it was in force. */
function Span({ outcome: { begins, ends, bars, timeframe }, followed }: CameProps) {
  if (begins === null || ends === null) return null
  const between = barsBetween(begins, ends, timeframe)
  const time = (each: string) => (
    <time className="figure" dateTime={each} title={formatBarUtc(each)}>
      {formatBarTime(each)}
    </time>
  )
  return (
    <p>
      In force {followed ? 'since' : 'from'} {time(begins)}
      {followed ? ', up to now ' : <> to {time(ends)}, </>}
      {unbroken(lengthWords(between, timeframe) ?? '')}: {barsWords(bars)} of {timeframe}
      {bars < between - 0.5 && ', with others between them that it did not decide'}.
    </p>
  )
}
