import type { CheckExplanation } from 'vivienne-client'
import classes from './ThresholdGauge.module.css'

/**
 * A value beside its threshold, which stands in the middle: 0 is at the left, twice the threshold at the right, and an
 * arrow points at what is further out. The side on which the check is met is hatched. Nothing for a threshold of 0,
 * where only the sign counts.
 */
export function ThresholdGauge({ check: { value, threshold, relation, met } }: { check: CheckExplanation }) {
  if (value === null || threshold <= 0) return <span className={classes.none} />
  const place = value / threshold / 2
  const out = place > 1 || place < 0
  return (
    <span className={classes.gauge} data-side={relation.startsWith('<') ? 'below' : 'above'} aria-hidden="true">
      <i
        data-met={met || undefined}
        data-out={out ? (place > 1 ? 'right' : 'left') : undefined}
        style={{ left: `${Math.max(0, Math.min(1, place)) * 100}%` }}
      />
    </span>
  )
}
