import { memo } from 'react'
import { formatConfidence } from '../parts/format.ts'
import type { ClarityLevel } from '../parts/Level.tsx'
import classes from './Confidence.module.css'

interface ConfidenceProps {
  /** 0 to 1. */
  confidence: number
  /** Thresholds of the asset, 0 to 100. */
  loaded: number
  aim: number
  bang: number
  level: ClarityLevel
  held: boolean
  /** Say the thresholds under their ticks. */
  labelled?: boolean
}

/** The confidence between the thresholds it is measured by. */
export const Confidence = memo(function Confidence(props: ConfidenceProps) {
  const { confidence, loaded, aim, bang, level, held, labelled = false } = props
  const said = formatConfidence(confidence)
  const thresholds = [
    { name: 'loaded', at: loaded },
    { name: 'aim', at: aim },
    { name: 'bang', at: bang },
  ] as const
  return (
    <div
      className={classes.confidence}
      data-level={level}
      data-held={held || undefined}
      data-labelled={labelled || undefined}
      title={`Confidence ${(confidence * 100).toFixed(1)}; loaded from ${loaded}, aim from ${aim}, bang from ${bang}`}
    >
      <div className={classes.track} aria-hidden>
        <div className={classes.fill} style={{ width: `${confidence * 100}%` }} />
        {thresholds.map(({ name, at }) => (
          <div key={name} className={classes.tick} data-name={name} style={{ left: `${at}%` }} />
        ))}
      </div>
      <span className={`figure ${classes.said}`}>{said}</span>
      <span className="unseen">
        loaded from {loaded}, aim from {aim}, bang from {bang}
      </span>
      {labelled && (
        <div className={classes.labels} aria-hidden>
          {thresholds.map(({ name, at }) => (
            <span key={name} className="figure" style={{ left: `${at}%` }}>
              <span className={classes.name}>{name} </span>
              {at}
            </span>
          ))}
        </div>
      )}
    </div>
  )
})
