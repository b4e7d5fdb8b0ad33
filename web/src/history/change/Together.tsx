import { Link } from 'react-router'
import type { ChangeOutcome } from 'vivienne-client'
import { useDecision } from '../../asset/agent.ts'
import { formatBarTime, formatBarUtc, unbroken } from '../../parts/format.ts'
import { CostsChoice } from '../../signals/costs/CostsChoice.tsx'
import { useIsTried } from '../../signals/costs/costs.ts'
import { useIsDeciding } from '../outcomes.ts'
import { barsWords, meanWords, triedWords, undecidedWords } from '../outcomeWords.ts'
import { Verdict } from '../Verdict.tsx'
import { changeAddress } from './address.ts'
import classes from './ChangePage.module.css'
import { Curves } from './Curves.tsx'
import tables from './Tables.module.css'

type Changed = ChangeOutcome['assets'][number]

const LEFT_OUT: Readonly<Record<NonNullable<Changed['left_out']>, string>> = {
  nothing_before: 'left out: no version before is recorded',
  later: 'left out: it begins later than the others',
  no_position: 'left out: neither version may have a position',
}

/** What came of a change for all assets, as one equity; each of them has a page of its own. */
export function Together({ outcome, all }: { outcome: ChangeOutcome; all: readonly string[] }) {
  const { assets, comparison, version } = outcome
  const isTried = useIsTried()
  const compared = assets.filter(({ left_out }) => left_out === null)
  const versions = new Set(compared.map(({ before }) => before))
  const [before] = versions
  const one = versions.size === 1 && before !== undefined && before !== null
  return (
    <>
      <section className={`panel ${classes.verdict}`} aria-label="Verdict">
        <Verdict outcome={outcome} size="xl" tried={isTried} />
        {isTried && comparison !== null && <p className={classes.tried}>{triedWords(comparison)}</p>}
        {comparison !== null && (
          <p>
            {namesWords(comparison.assets)} against{' '}
            {one ? <Link to={changeAddress(before)}>version {before}</Link> : 'the versions before'} on the same{' '}
            {barsWords(comparison.bars)}
            {comparison.bars > 0 && `: ${unbroken(meanWords(comparison))}`}.
          </p>
        )}
        <p className={classes.note}>
          The scores of all assets at a time are added up, as one equity: each time counts once. It is a simulation:
          nobody traded.
        </p>
      </section>
      {comparison !== null && comparison.curve.times.length > 1 && (
        <section className={`panel ${classes.part}`} aria-label="Curves">
          <Curves
            comparison={comparison}
            now={`version ${version}`}
            before={one ? `version ${before}` : 'versions before'}
          />
        </section>
      )}
      <section className={`panel ${classes.part}`} aria-label="Assets">
        <Assets outcome={outcome} all={all} />
      </section>
      {comparison !== null && (
        <section className={`panel ${classes.part}`} aria-label="Costs">
          <CostsChoice costs={comparison} />
        </section>
      )}
    </>
  )
}

/** "BTC and ETH as one equity", "50 assets as one equity". */
function namesWords(names: readonly string[]): string {
  if (names.length === 1) return `${names[0]} alone`
  return `${names.length > 3 ? `${names.length} assets` : names.join(', ').replace(/, ([^,]*)$/, ' and $1')} as one equity`
}

function Assets({ outcome: { assets, version }, all }: { outcome: ChangeOutcome; all: readonly string[] }) {
  const undecided = all.filter((name) => assets.every(({ asset }) => asset !== name))
  return (
    <table className={`${tables.table} ${tables.assets}`}>
      <caption>The change in each asset</caption>
      <thead>
        <tr>
          <th>Asset</th>
          <th>Against</th>
          <th>From</th>
          <th>To</th>
          <th>Bars</th>
        </tr>
      </thead>
      <tbody>
        {assets.map(({ asset, before, begins, ends, bars, left_out: reason }) => (
          <tr key={asset}>
            <th scope="row">
              <Link to={changeAddress(version, asset)}>{asset}</Link>
              {reason !== null && <small>{LEFT_OUT[reason]}</small>}
            </th>
            <td>{before === null ? '-' : `version ${before}`}</td>
            <Time time={begins} />
            <Time time={ends} />
            <td className="figure">{bars.toLocaleString('en-US')}</td>
          </tr>
        ))}
        {undecided.map((asset) => (
          <Undecided key={asset} version={version} asset={asset} />
        ))}
      </tbody>
    </table>
  )
}

/** An asset of which the version decided no bar, and why. */
function Undecided({ version, asset }: { version: number; asset: string }) {
  const isEnded = useDecision(asset, ({ status }) => status === 'ended') ?? false
  const isFollowed = useIsDeciding(asset, version)
  return (
    <tr>
      <th scope="row">
        <Link to={changeAddress(version, asset)}>{asset}</Link>
        <small>{undecidedWords({ isEnded, isFollowed })}</small>
      </th>
      <td>-</td>
      <td>-</td>
      <td>-</td>
      <td className="figure">0</td>
    </tr>
  )
}

function Time({ time }: { time: string }) {
  return (
    <td className="figure">
      <time dateTime={time} title={formatBarUtc(time)}>
        {formatBarTime(time)}
      </time>
    </td>
  )
}
