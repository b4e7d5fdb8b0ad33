import type { Settings } from 'vivienne-client'
import { formatNumber } from '../../parts/format.ts'
import { sameJson, useDecision, useInForce } from '../agent.ts'
import { Fresh } from '../Fresh.tsx'
import classes from './ConfidenceGauge.module.css'

const LEVELS = ['loaded', 'aim', 'bang'] as const

/** Labels nearer to each other than this, in points, would overlap. */
const APART = 9

/** Confidence of the signals, 0 to 100, with the thresholds of the levels. */
export function ConfidenceGauge({ asset }: { asset: string }) {
  const confidence = useDecision(asset, (decision) => decision.signal_confidence)
  const settings = useInForce(asset, (configuration) => configuration.settings, sameJson)
  if (confidence === undefined || settings === undefined) return <div className={classes.confidence} />
  const points = confidence * 100
  const steps = stepsOf(settings)
  const words = steps.map(({ level, from }) => `${level} from ${formatNumber(from, 4)}`).join(', ')
  return (
    <Fresh asset={asset} className={classes.confidence}>
      <span className={classes.label}>
        Confidence <strong className="figure">{points.toFixed(1)}</strong>
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element has no ticks */}
      <div
        className={classes.track}
        title={`Confidence ${points.toFixed(1)} of 100; ${words}`}
        role="meter"
        aria-label="Confidence"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(points * 10) / 10}
        aria-valuetext={`${points.toFixed(1)} of 100; ${words}`}
      >
        <b style={{ width: `${points}%` }} />
        {steps.map(({ level, from }) => (
          <i key={level} data-level={level} style={{ left: `${from}%` }} />
        ))}
      </div>
      <div className={classes.scale} aria-hidden="true">
        {steps.map(({ level, from, labelled }) => (
          <span key={level} className="figure" style={{ left: `${from}%` }}>
            {labelled && formatNumber(from, 3)}
          </span>
        ))}
      </div>
    </Fresh>
  )
}

function stepsOf(settings: Settings) {
  const from = LEVELS.map((level) => settings[`state_threshold_${level}`])
  return LEVELS.map((level, place) => ({
    level,
    from: from[place] ?? 0,
    labelled: (from[place + 1] ?? Number.POSITIVE_INFINITY) - (from[place] ?? 0) >= APART,
  }))
}
