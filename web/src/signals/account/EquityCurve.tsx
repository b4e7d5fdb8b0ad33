import { type PointerEvent, useMemo, useState } from 'react'
import type { PaperAccount } from 'vivienne-client'
import { formatBarTime, formatNumber } from '../../parts/format.ts'
import { decimalsFor, formatGain } from '../gain.ts'
import classes from './EquityCurve.module.css'
import { type EquityPoint, equityShape, nearestPoint } from './equity.ts'

/** Equity over time, as gains in percent since the beginning; the deepest fall is marked. */
export function EquityCurve({ account }: { account: PaperAccount }) {
  const { line, area, beginning, ticks, points } = useMemo(() => equityShape(account.curve), [account.curve])
  const [read, setRead] = useState<EquityPoint | null>(null)
  if (line === '') return null
  const decimals = decimalsFor(points.map(({ percent }) => percent))
  const lowest = account.drawdown_at === null ? undefined : nearestTime(points, account.drawdown_at)
  const onMove = (event: PointerEvent) => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    setRead(nearestPoint(points, (event.clientX - left) / width) ?? null)
  }
  return (
    <figure className={classes.curve}>
      <figcaption className={`figure ${classes.reading}`} aria-hidden>
        {read === null
          ? 'Equity, gain since the beginning'
          : `${formatBarTime(read.time)}: ${formatGain(read.percent, decimals)}`}
      </figcaption>
      <div className={classes.box}>
        <div className={classes.plot} onPointerMove={onMove} onPointerLeave={() => setRead(null)}>
          <svg viewBox="0 0 1 1" preserveAspectRatio="none" role="img" aria-label={labelOf(account)}>
            {ticks.map(({ percent, y }) => (
              <line key={percent} className={classes.tick} x1="0" x2="1" y1={y} y2={y} />
            ))}
            <path className={classes.area} d={area} />
            <line className={classes.beginning} x1="0" x2="1" y1={beginning} y2={beginning} />
            <path className={classes.line} d={line} />
          </svg>
          {lowest !== undefined && (
            <i className={classes.lowest} style={placeOf(lowest)} title="End of the deepest fall" />
          )}
          {read !== null && <i className={classes.cross} style={{ left: `${read.x * 100}%` }} />}
          {read !== null && <i className={classes.dot} style={placeOf(read)} />}
        </div>
        <div className={`figure ${classes.scale}`} aria-hidden>
          {ticks.map(({ percent, y }) => (
            <span key={percent} style={{ top: `${y * 100}%` }}>
              {`${percent > 0 ? '+' : ''}${formatNumber(percent)} %`}
            </span>
          ))}
        </div>
      </div>
      <div className={`figure ${classes.times}`} aria-hidden>
        {[0, 0.5, 1].map((x) => (
          <span key={x}>{timeAt(points, x)}</span>
        ))}
      </div>
    </figure>
  )
}

function labelOf({ equity, begins, ends, drawdown }: PaperAccount): string {
  const span = begins === null || ends === null ? '' : ` from ${formatBarTime(begins)} to ${formatBarTime(ends)}`
  return `Equity of the simulation${span}: ${formatGain(equity - 100)}, deepest fall ${formatGain(drawdown)}`
}

function placeOf({ x, y }: EquityPoint) {
  return { left: `${x * 100}%`, top: `${y * 100}%` }
}

function timeAt(points: readonly EquityPoint[], x: number): string {
  const point = nearestPoint(points, x)
  return point === undefined ? '' : formatBarTime(point.time)
}

/** The last point up to a time: a long curve has not every bar. */
function nearestTime(points: readonly EquityPoint[], time: string): EquityPoint | undefined {
  return points.findLast((point) => point.time <= time)
}
