import type { Settings } from 'vivienne-client'
import { formatConfidence, formatThreshold } from '../../parts/format.ts'
import { spread } from '../../parts/labels.ts'
import { sameJson, useDecision, useInForce, useLimits } from '../agent.ts'
import { Fresh } from '../Fresh.tsx'
import classes from './ConfidenceGauge.module.css'

const LEVELS = ['loaded', 'aim', 'bang'] as const

/** Width of a character of a label, in points of the scale. */
const CHARACTER = 4.2

/** Confidence of the signals, 0 to 100, with the thresholds of the levels. */
export function ConfidenceGauge({ asset }: { asset: string }) {
  const confidence = useDecision(asset, (decision) => decision.signal_confidence)
  const settings = useInForce(asset, (configuration) => configuration.settings, sameJson)
  const limits = useLimits(asset)
  if (confidence === undefined || settings === undefined) return <div className={classes.confidence} />
  const points = confidence * 100
  const steps = stepsOf(settings)
  const said = formatConfidence(confidence, limits)
  const words = steps.map(({ level, text }) => `${level} from ${text}`).join(', ')
  return (
    <Fresh asset={asset} className={classes.confidence}>
      <span className={classes.label}>
        Confidence <strong className="figure">{said}</strong>
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element has no ticks */}
      <div
        className={classes.track}
        title={`Confidence ${said}; ${words}`}
        role="meter"
        aria-label="Confidence"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(points * 10) / 10}
        aria-valuetext={`${said}; ${words}`}
      >
        <b style={{ width: `${points}%` }} />
        {steps.map(({ level, from }) => (
          <i key={level} data-level={level} style={{ left: `${from}%` }} />
        ))}
      </div>
      <div className={classes.scale} aria-hidden="true">
        {steps.map(({ level, text, place }) => (
          <span key={level} className="figure" style={{ left: `${place}%` }}>
            {text}
          </span>
        ))}
      </div>
    </Fresh>
  )
}

/** The thresholds; a label between two near ones moves them apart, and is not dropped. */
function stepsOf(settings: Settings) {
  const steps = LEVELS.map((level) => {
    const from = settings[`state_threshold_${level}`]
    return { level, from, text: formatThreshold(from) }
  })
  const places = spread(steps.map(({ from, text }) => ({ at: from, width: (text.length + 1) * CHARACTER })))
  return steps.map((step, index) => ({ ...step, place: places[index] }))
}
