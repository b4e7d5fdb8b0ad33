import { IconLock, IconPlayerPauseFilled } from '@tabler/icons-react'
import type { AssetState } from 'vivienne-client'
import classes from './Level.module.css'

export type ClarityLevel = AssetState['clarity_level']

/** From quiet to loud. */
export const LEVELS: readonly ClarityLevel[] = ['idle', 'loaded', 'aim', 'bang']

interface LevelProps {
  level: ClarityLevel
  /** The level the confidence earns; where it is higher than `level`, a filter holds the entry. */
  raw?: ClarityLevel
  /** True if a filter holds the entry back. */
  held?: boolean
  /** True if the asset is paused, and idle for that reason. */
  paused?: boolean
  size?: 'sm' | 'md' | 'xl'
}

/**
 * A clarity level: a gauge of three steps, the word, and a colour. A held level keeps the weight of the level it would have,
 * hatched and with a lock: held, not weaker.
 */
export function Level({ level, raw = level, held = false, paused = false, size = 'md' }: LevelProps) {
  const shown = held ? raw : level
  const steps = LEVELS.indexOf(shown)
  return (
    <span className={classes.level} data-level={shown} data-held={held || undefined} data-size={size}>
      <span className={classes.gauge} aria-hidden>
        {[1, 2, 3].map((step) => (
          <span key={step} data-on={step <= steps || undefined} />
        ))}
      </span>
      <span className={classes.word}>{shown}</span>
      {held && (
        <span className={classes.held}>
          <IconLock size="1em" aria-hidden /> <span className={classes.said}>held</span>
        </span>
      )}
      {paused && (
        <span className={classes.paused}>
          <IconPlayerPauseFilled size="0.9em" aria-hidden /> <span className={classes.said}>paused</span>
        </span>
      )}
    </span>
  )
}
