import { useMediaQuery } from '@mantine/hooks'
import { useMemo, useState } from 'react'
import type { PaperAccount } from 'vivienne-client'
import { formatBarTime, formatBarUtc } from '../../parts/format.ts'
import { type Line, Plot } from '../../parts/plot/Plot.tsx'
import { decimalsFor, formatGain } from '../gain.ts'
import classes from './EquityCurve.module.css'

/** Equity of the beginning; what is above it is a gain in percent. */
const BEGINNING = 100

/** Equity over time, as gains in percent since the beginning; the newest is read until another point is. */
export function EquityCurve({ account: { curve } }: { account: PaperAccount }) {
  const low = useMediaQuery('(max-width: 48em)') ?? false
  const [pointed, setPointed] = useState<number | null>(null)
  const times = useMemo(() => curve.times.map(Date.parse), [curve.times])
  const gains = useMemo(() => curve.equity.map((equity) => equity - BEGINNING), [curve.equity])
  const lines = useMemo<Line[]>(() => [{ name: 'now', values: gains }], [gains])
  const decimals = useMemo(() => decimalsFor(gains), [gains])
  const last = times.length - 1
  if (last < 1) return null
  const at = Math.min(pointed ?? last, last)
  const time = curve.times[at] ?? ''
  const gain = formatGain(gains[at] ?? 0, decimals)
  return (
    <figure className={classes.curve}>
      <figcaption>
        Equity, gain since the beginning:{' '}
        <time className="figure" dateTime={time} title={formatBarUtc(time)}>
          {formatBarTime(time)}
        </time>{' '}
        <strong className="figure">{gain}</strong>
      </figcaption>
      <Plot times={times} lines={lines} at={at} onAt={setPointed} height={low ? 190 : 260} label={`Equity: ${gain}`} />
      <input
        type="range"
        className={classes.steps}
        min={0}
        max={last}
        value={at}
        aria-label="Bar that is read"
        aria-valuetext={`${formatBarTime(time)}: ${gain}`}
        onChange={(event) => setPointed(Number(event.currentTarget.value))}
      />
    </figure>
  )
}
