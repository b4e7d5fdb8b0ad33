import { useMediaQuery } from '@mantine/hooks'
import { useMemo, useState } from 'react'
import type { ScoreComparison } from 'vivienne-client'
import { formatBarTime, formatBarUtc, formatNumber } from '../../parts/format.ts'
import { type Line, Plot } from '../../parts/plot/Plot.tsx'
import { rangeOf } from '../../parts/plot/scale.ts'
import { barsWords, signedWithin } from '../outcomeWords.ts'
import classes from './Curves.module.css'

interface CurvesProps {
  comparison: ScoreComparison
  /** What the two are called. */
  now: string
  before: string
}

/** Equity of both versions on the same bars, and the difference with its band; one crosshair reads both. */
export function Curves({ comparison, now, before }: CurvesProps) {
  const { curve, verdict, confidence } = comparison
  const [pointed, setPointed] = useState<number | null>(null)
  const low = useMediaQuery('(max-width: 48em)') ?? false
  const times = useMemo(() => curve.times.map(Date.parse), [curve.times])
  const equity = useMemo<Line[]>(
    () => [
      { name: 'before', values: curve.before },
      { name: 'now', values: curve.now },
    ],
    [curve],
  )
  const difference = useMemo<Line[]>(() => [{ name: 'difference', values: curve.difference }], [curve])
  const band = useMemo(() => ({ low: curve.low, high: curve.high, verdict }), [curve, verdict])
  const at = Math.min(pointed ?? times.length - 1, times.length - 1)
  const shared = { times, at, onAt: setPointed, height: low ? 190 : 240 }
  const [equityWidth, bandWidth] = useMemo(
    () => [widthOf(curve.before, curve.now), widthOf(curve.difference, curve.low, curve.high)],
    [curve],
  )
  const value = (values: readonly number[]) => `${signedWithin(values[at] ?? 0, equityWidth)} %`
  const apart = (values: readonly number[]) => signedWithin(values[at] ?? 0, bandWidth)
  const range = `${apart(curve.low)} to ${apart(curve.high)} %`
  return (
    <figure className={classes.curves}>
      <div className={classes.each}>
        <h3>Equity on the same bars</h3>
        <p className={classes.legend}>
          <Reading time={curve.times[at]} />
          <span data-line="now">
            {now} <strong className="figure">{value(curve.now)}</strong>
          </span>
          <span data-line="before">
            {before} <strong className="figure">{value(curve.before)}</strong>
          </span>
        </p>
        <Plot
          {...shared}
          lines={equity}
          label={`Sum of scores in percent of equity: ${now} ${value(curve.now)}, ${before} ${value(curve.before)}`}
        />
      </div>
      <div className={classes.each}>
        <h3>Difference</h3>
        <p className={classes.legend}>
          <Reading time={curve.times[at]} />
          <span data-line="difference">
            difference <strong className="figure">{apart(curve.difference)} %</strong>
          </span>
          <span data-line="band">
            {formatNumber(confidence * 100)} % band <strong className="figure">{range}</strong>
          </span>
        </p>
        <Plot
          {...shared}
          lines={difference}
          band={band}
          label={`Difference ${apart(curve.difference)} %, band ${range}`}
        />
      </div>
      <input
        type="range"
        className={classes.steps}
        min={0}
        max={Math.max(0, times.length - 1)}
        value={Math.max(0, at)}
        aria-label="Bar that is read"
        aria-valuetext={`${formatBarTime(curve.times[at] ?? 0)}: ${now} ${value(curve.now)}, ${before} ${value(curve.before)}, difference ${apart(curve.difference)} %, band ${range}`}
        onChange={(event) => setPointed(Number(event.currentTarget.value))}
      />
      <figcaption>
        In percent of equity, added up bar by bar, after costs. While zero is within the band, the difference may be
        luck.
        {comparison.cut > 0 &&
          ` ${barsWords(comparison.cut)} had a difference above ${formatNumber(comparison.bound, 2)} %, which counts as that.`}
      </figcaption>
    </figure>
  )
}

function Reading({ time }: { time: string | undefined }) {
  if (time === undefined) return null
  return (
    <time className="figure" dateTime={time} title={formatBarUtc(time)}>
      {formatBarTime(time)}
    </time>
  )
}

function widthOf(...curves: readonly (readonly number[])[]): number {
  const [low, high] = rangeOf(...curves)
  return high - low
}
