import { IconPlayerPauseFilled } from '@tabler/icons-react'
import classes from './PauseArmed.module.css'

/** Says that a pause waits for its key once more, and for how long. */
export function PauseArmed({ letter }: { letter: string }) {
  return (
    <div className={classes.armed} role="status">
      <IconPlayerPauseFilled size={16} aria-hidden />
      <span>
        Press <kbd>{letter}</kbd> again, or hold it, to pause {letter === 'a' ? 'all assets' : 'this asset'}
      </span>
      <span className={classes.time} aria-hidden />
    </div>
  )
}
