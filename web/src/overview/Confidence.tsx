import { memo } from 'react'
import { formatConfidence, formatThreshold } from '../parts/format.ts'
import type { ClarityLevel } from '../parts/Level.tsx'
import { spread } from '../parts/labels.ts'
import classes from './Confidence.module.css'

interface ConfidenceProps {
  /** 0 to 1. */
  confidence: number
  /** Thresholds of the asset, 0 to 100. */
  loaded: number
  aim: number
  bang: number
  /** The threshold that the nearest change would set; null where it is none. */
  nearest: number | null
  level: ClarityLevel
  held: boolean
  /** Say the thresholds under their ticks. */
  labelled?: boolean
}

/** The confidence between the thresholds it is measured by. */
export const Confidence = memo(function Confidence(props: ConfidenceProps) {
  const { confidence, loaded, aim, bang, nearest, level, held, labelled = false } = props
  const said = formatConfidence(confidence, [loaded, aim, bang, ...(nearest === null ? [] : [nearest])])
  const thresholds = [
    { name: 'loaded', at: loaded, text: formatThreshold(loaded) },
    { name: 'aim', at: aim, text: formatThreshold(aim) },
    { name: 'bang', at: bang, text: formatThreshold(bang) },
  ] as const
  const words = thresholds.map(({ name, text }) => `${name} from ${text}`).join(', ')
  return (
    <div
      className={classes.confidence}
      data-level={level}
      data-held={held || undefined}
      data-labelled={labelled || undefined}
      title={`Confidence ${said}; ${words}`}
    >
      <div className={classes.track} aria-hidden>
        <div className={classes.fill} style={{ width: `${confidence * 100}%` }} />
        {thresholds.map(({ name, at }) => (
          <div key={name} className={classes.tick} data-name={name} style={{ left: `${at}%` }} />
        ))}
      </div>
      <span className={`figure ${classes.said}`}>{said}</span>
      <span className="unseen">{words}</span>
      {labelled && (
        <>
          <Labels
            className={classes.named}
            labels={thresholds.map((one) => ({ ...one, text: `${one.name} ${one.text}` }))}
          />
          <Labels className={classes.plain} labels={thresholds} />
        </>
      )}
    </div>
  )
})

/** Width of a character of a label, in points of the scale. */
const CHARACTER = 1.6

interface LabelsProps {
  className: string | undefined
  labels: readonly { readonly name: string; readonly at: number; readonly text: string }[]
}

function Labels({ className, labels }: LabelsProps) {
  const places = spread(labels.map(({ at, text }) => ({ at, width: (text.length + 1) * CHARACTER })))
  return (
    <div className={`${classes.labels} ${className}`} aria-hidden>
      {labels.map(({ name, text }, index) => (
        <span key={name} className="figure" style={{ left: `${places[index]}%` }}>
          {text}
        </span>
      ))}
    </div>
  )
}
