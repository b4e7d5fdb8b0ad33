import { NativeSelect } from '@mantine/core'
import { useState } from 'react'
import type { DecisionPreview, DifferentBar, LevelCounts } from 'vivienne-client'
import { formatBarTime, formatBarUtc, formatNumber } from '../parts/format.ts'
import { LEVELS, Level } from '../parts/Level.tsx'
import { Side } from '../parts/Side.tsx'
import classes from './Consequence.module.css'
import { count } from './plural.ts'
import type { Proposal } from './proposal.ts'
import { formatSpan, sizeWords, timeframeMinutes } from './reading.ts'
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
  const { bars = 0, compared = 0, different = [], different_bars: differing = 0, now, then, timeframe } = preview
  const minutes = timeframeMinutes(timeframe)
  const span = minutes === null ? '' : ` (${formatSpan(minutes * compared)})`
  if (compared === 0 || !now || !then) return <p className={classes.calm}>{asset} has no decided bars yet.</p>
  return (
    <>
      <p>
        <strong>{differing === 0 ? 'None' : differing}</strong> of the last {count(compared, 'decided bar')}
        {span} of {asset} would have been decided otherwise
        {differing > 0 && isSame(now, then) && ', with the same counts'}.
      </p>
      <Counts now={now} then={then} />
      {compared < bars && (
        <p className={classes.calm}>
          {count(bars - compared, 'earlier bar')} cannot be decided, because too few bars precede them; they are not
          counted.
        </p>
      )}
      {different.length > 0 && <Examples different={different} of={differing} />}
    </>
  )
}

function isSame(now: LevelCounts, then: LevelCounts): boolean {
  return [...LEVELS, 'held' as const, 'entries' as const].every((level) => now[level] === then[level])
}

function Counts({ now, then }: { now: LevelCounts; then: LevelCounts }) {
  const rows = [...LEVELS].reverse()
  return (
    <table className={classes.counts}>
      <thead>
        <tr>
          <th scope="col">Bars at level</th>
          <th scope="col">Size</th>
          <th scope="col">Now</th>
          <th scope="col">Then</th>
          <th scope="col">Difference</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((level) => (
          <Count
            key={level}
            name={<Level level={level} size="sm" />}
            size={sizeWords(now.sizes[level], then.sizes[level])}
            now={now[level]}
            then={then[level]}
          />
        ))}
        <Count name="Entry held by a filter" now={now.held} then={then.held} />
        <Count
          name="Entries"
          title="Bars at which a position begins, or changes its side"
          now={now.entries}
          then={then.entries}
        />
        <Count
          name="Mean size (exposure)"
          title="Mean position size over these bars, in percent of equity, long and short alike"
          now={now.exposure}
          then={then.exposure}
          unit=" %"
        />
      </tbody>
    </table>
  )
}

interface CountProps {
  name: React.ReactNode
  title?: string
  size?: React.ReactNode
  now: number
  then: number
  unit?: string
}

function Count({ name, title, size, now, then, unit = '' }: CountProps) {
  const difference = then - now
  const words = (value: number) => `${formatNumber(value, 3)}${unit}`
  return (
    <tr data-same={difference === 0 || undefined} title={title}>
      <th scope="row">{name}</th>
      <td className="figure">{size}</td>
      <td className="figure">{words(now)}</td>
      <td className="figure">{words(then)}</td>
      <td className="figure">
        {difference === 0 ? 'same' : `${difference > 0 ? '+' : '−'}${words(Math.abs(difference))}`}
      </td>
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
              <th scope="row" className="figure" title={formatBarUtc(bar.time)}>
                {formatBarTime(bar.time)}
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
