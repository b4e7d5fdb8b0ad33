import { useRef, useState } from 'react'
import { Link } from 'react-router'
import type { RevisionEntry, VersionSpan } from 'vivienne-client'
import { useAssets } from 'vivienne-client/react'
import { failureWords } from '../parts/failure.ts'
import { unbroken } from '../parts/format.ts'
import { useInSight } from '../parts/watching.ts'
import { changeAddress } from './change/address.ts'
import classes from './Outcomes.module.css'
import { useChangeOutcome, useIsDeciding, useOutcome, useSpan } from './outcomes.ts'
import { barsBetween, barsWords, entriesOf, entriesWords, lengthWords } from './outcomeWords.ts'
import { Verdict } from './Verdict.tsx'

/** Number of assets of a change of all that are shown at first. */
const FIRST = 3

interface OutcomesProps {
  entry: RevisionEntry
  /** The only asset of interest; undefined for all that the change bears on. */
  asset: string | undefined
}

/** What came of a change, an asset in a line; loaded when it is in sight, and nothing where nothing is recorded. */
export function Outcomes({ entry, asset }: OutcomesProps) {
  const all = useAssets()
  const lines = useRef<HTMLUListElement>(null)
  const inSight = useInSight(lines)
  const [more, setMore] = useState(false)
  const own = entry.asset_symbol ?? asset
  const assets = own === undefined ? all : [own]
  const shown = more ? assets : assets.slice(0, FIRST)
  const isNamed = own === undefined && all.length > 1
  return (
    <ul ref={lines} className={classes.lines} aria-label={`What came of version ${entry.version}`}>
      {isNamed && <Together version={entry.version} assets={all} inSight={inSight} />}
      {shown.map((each) => (
        <Line key={each} entry={entry} asset={each} isNamed={isNamed} inSight={inSight} />
      ))}
      {shown.length < assets.length && (
        <li>
          <button type="button" className={classes.more} onClick={() => setMore(true)}>
            {assets.length - shown.length} more {assets.length - shown.length === 1 ? 'asset' : 'assets'}
          </button>
        </li>
      )}
    </ul>
  )
}

interface TogetherProps {
  version: number
  assets: readonly string[]
  inSight: boolean
}

/** The line over all assets, as one equity; nothing if none can be compared, or one only. */
function Together({ version, assets, inSight }: TogetherProps) {
  const { data, error } = useChangeOutcome(version, assets, { enabled: inSight, points: 0 })
  const comparison = data?.outcome?.comparison
  if (data === undefined && error === null)
    // As high as what comes.
    return (
      <li className={classes.line}>
        <strong className={classes.asset}>All</strong>
        <span className={classes.quiet}>{inSight && 'Being judged'}</span>
      </li>
    )
  if (data?.outcome == null || comparison == null || comparison.assets.length < 2) return null
  return (
    <li className={classes.line}>
      <strong className={classes.asset}>All</strong>
      <Link
        to={changeAddress(version)}
        className={classes.came}
        aria-label={`What came of version ${version}: all assets`}
      >
        <Verdict outcome={data.outcome} />
        <span className={`figure ${classes.facts}`}>
          {comparison.assets.length} assets as one equity · {barsWords(comparison.bars)}
        </span>
      </Link>
    </li>
  )
}

interface LineProps {
  entry: RevisionEntry
  asset: string
  isNamed: boolean
  inSight: boolean
}

function Line({ entry: { version }, asset, isNamed, inSight }: LineProps) {
  const followed = useIsDeciding(asset, version)
  const { data, error } = useSpan(asset, version, { enabled: inSight, followed })
  if (data?.span === null) return null
  const name = isNamed && <strong className={classes.asset}>{asset} </strong>
  if (error !== null)
    return (
      <li className={classes.line} data-quiet>
        {name}What came of it is not known: {failureWords(error)}
      </li>
    )
  return (
    <li className={classes.line} aria-busy={(inSight && data === undefined) || undefined}>
      {name}
      {data !== undefined && (
        <Came {...{ asset, version, inSight, followed }} span={{ ...data.span, timeframe: data.timeframe }} />
      )}
    </li>
  )
}

interface CameProps {
  asset: string
  version: number
  span: VersionSpan & { readonly timeframe: string }
  inSight: boolean
  followed: boolean
}

function Came({ asset, version, span, inSight, followed }: CameProps) {
  const { data, error } = useOutcome(asset, version, { enabled: inSight, followed, points: 0 })
  const { begins, ends, bars, timeframe } = { ...span, ...data }
  const inForce = begins === null || ends === null ? null : lengthWords(barsBetween(begins, ends, timeframe), timeframe)
  const facts = [
    ...(data === undefined ? [] : [entriesWords(entriesOf(data.now))]),
    barsWords(bars),
    ...(inForce === null ? [] : [`${inForce} in force`]),
  ]
  return (
    <Link
      to={changeAddress(version, asset)}
      className={classes.came}
      aria-label={`What came of version ${version}: ${asset}`}
    >
      {data !== undefined && <Verdict outcome={data} />}
      {data === undefined && (
        <span className={classes.quiet}>{error === null ? 'Being judged' : failureWords(error)}</span>
      )}
      <span className={`figure ${classes.facts}`}>{unbroken(facts.join(' · '))}</span>
    </Link>
  )
}
