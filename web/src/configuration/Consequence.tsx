import { NativeSelect } from '@mantine/core'
import { useState } from 'react'
import type { DecisionPreview, DifferentBar, LevelCounts } from 'vivienne-client'
import { formatTime, formatUtc } from '../parts/format.ts'
import { LEVELS, Level } from '../parts/Level.tsx'
import { Side } from '../parts/Side.tsx'
import classes from './Consequence.module.css'
import { count } from './plural.ts'
import type { Proposal } from './proposal.ts'
import { formatSpan, timeframeMinutes } from './reading.ts'
import { PREVIEW_BARS, usePreview } from './verdict.ts'

/** Effect of a change on the last bars of an asset it affects. */
export function Consequence({ proposal, reached }: { proposal: Proposal; reached: readonly string[] }) {
  const [chosen, setChosen] = useState<string | null>(null)
  const asset = chosen ?? proposal.layer ?? reached[0]
  const { data, isError, isFetching } = usePreview(proposal, asset)
  if (asset === undefined) return null
  return (
    <section className={classes.consequence} aria-label="Effect on past bars">
      <div className={classes.heading}>
        <h3>Effect on past bars</h3>
        {proposal.layer === null && reached.length > 1 && (
          <NativeSelect
            size="xs"
            aria-label="Asset"
            data={[...reached]}
            value={asset}
            onChange={(event) => setChosen(event.currentTarget.value)}
          />
        )}
      </div>
      <div className={classes.answer} data-old={(isFetching && data !== undefined) || undefined}>
        {isError || data?.valid === false ? (
          <p className={classes.calm}>The preview is not available now. You can save the change without it.</p>
        ) : data === undefined ? (
          <p className={classes.calm}>
            Deciding the last {PREVIEW_BARS} bars of {asset} again …
          </p>
        ) : (
          <Answer preview={data} asset={asset} />
        )}
      </div>
    </section>
  )
}

function Answer({ preview, asset }: { preview: DecisionPreview; asset: string }) {
  const { bars = 0, different = [], different_bars: differing = different.length, now, then, timeframe } = preview
  const minutes = timeframeMinutes(timeframe)
  const span = minutes === null ? '' : ` (${formatSpan(minutes * bars)})`
  if (bars === 0) return <p className={classes.calm}>{asset} has no decided bars yet.</p>
  return (
    <>
      <p>
        {differing === 0 ? (
          <>
            <strong>None</strong> of the last {count(bars, 'bar')}
            {span} of {asset} would have been decided otherwise.
          </>
        ) : (
          <>
            <strong>{differing}</strong> of the last {count(bars, 'bar')}
            {span} of {asset} would have been decided otherwise
            {now && then && isSame(now, then) && ', with the same counts'}.
          </>
        )}
      </p>
      {now && then && now.undecided + then.undecided > 0 && (
        <p className={classes.calm}>
          Bars that cannot be decided, because too few bars precede them, are not compared.
        </p>
      )}
      {now && then && <Counts now={now} then={then} />}
      {different.length > 0 && <Examples different={different} of={differing} />}
    </>
  )
}

function isSame(now: LevelCounts, then: LevelCounts): boolean {
  return [...LEVELS, 'held' as const, 'undecided' as const].every((level) => now[level] === then[level])
}

function Counts({ now, then }: { now: LevelCounts; then: LevelCounts }) {
  const rows = [...LEVELS].reverse()
  return (
    <table className={classes.counts}>
      <thead>
        <tr>
          <th scope="col">Bars at level</th>
          <th scope="col">Now</th>
          <th scope="col">Then</th>
          <th scope="col">Difference</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((level) => (
          <Count key={level} name={<Level level={level} size="sm" />} now={now[level]} then={then[level]} />
        ))}
        <Count name="Entry held by a filter" now={now.held} then={then.held} />
        {now.undecided + then.undecided > 0 && <Count name="Not decidable" now={now.undecided} then={then.undecided} />}
      </tbody>
    </table>
  )
}

function Count({ name, now, then }: { name: React.ReactNode; now: number; then: number }) {
  const difference = then - now
  return (
    <tr data-same={difference === 0 || undefined}>
      <th scope="row">{name}</th>
      <td className="figure">{now}</td>
      <td className="figure">{then}</td>
      <td className="figure">{difference === 0 ? 'same' : difference > 0 ? `+${difference}` : `−${-difference}`}</td>
    </tr>
  )
}

/** The newest bars that would be different. */
function Examples({ different, of }: { different: readonly DifferentBar[]; of: number }) {
  const newest = different.slice(-5).reverse()
  return (
    <details className={classes.examples}>
      <summary>{newest.length < of ? `The last ${newest.length} of them` : 'Which'}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Bar</th>
            <th scope="col">Now</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((bar) => (
            <tr key={bar.time}>
              <th scope="row" className="figure" title={formatUtc(bar.time)}>
                {formatTime(bar.time)}
              </th>
              <td>
                <Decided bar={bar.now} />
              </td>
              <td>
                <Decided bar={bar.then} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

function Decided({ bar }: { bar: DifferentBar['now'] }) {
  return (
    <span className={classes.decided}>
      <Level level={bar.clarity_level} held={bar.held} size="sm" />
      <Side side={bar.side} />
      {bar.position_size > 0 && <span className="figure">{bar.position_size} %</span>}
    </span>
  )
}
