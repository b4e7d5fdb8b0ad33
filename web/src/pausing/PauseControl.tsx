import { IconPlayerPauseFilled } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useVivienneClient } from 'vivienne-client/react'
import { useWhyNot } from '../signin/roles.ts'
import classes from './PauseControl.module.css'
import { useOwnPause, usePauses } from './pauses.ts'
import { askToResume, pauseNow, useSwitching } from './switching.ts'

interface PauseControlProps {
  /** An asset, or null for all of them. */
  layer: string | null
}

/**
 * Stops an asset or all of them at once, and says whether they are. Pausing asks nothing, for it is safe; resuming does.
 * The only place that decides whether somebody may: keys press this button, and the banner asks it.
 */
export function PauseControl({ layer }: PauseControlProps) {
  const against = useWhyNot('tuner')
  const client = useVivienneClient()
  const queries = useQueryClient()
  const own = useOwnPause(layer)
  const all = usePauses().some(({ asset_symbol }) => asset_symbol === null)
  const { attempts } = useSwitching()
  const whom = layer ?? 'all assets'
  if (own !== undefined) {
    return (
      <button
        type="button"
        className={classes.control}
        data-paused
        aria-label={layer === null ? 'All assets are paused: resume' : `${layer} is paused: resume`}
        title={against ?? 'Resume (asks first)'}
        disabled={against !== null}
        // The second click of a double click was meant for the button that was here before.
        onClick={(event) => event.detail < 2 && askToResume(layer)}
      >
        <IconPlayerPauseFilled size={14} aria-hidden />
        <span>{layer === null ? 'All paused' : 'Paused'}</span>
      </button>
    )
  }
  const pending = attempts.get(layer)?.pending === true
  const key = layer === null ? 'a' : 't'
  const also = layer !== null && all ? `\nAll assets are paused; this keeps ${layer} paused when they are resumed` : ''
  return (
    <button
      type="button"
      className={classes.control}
      data-pause-key={key}
      data-pending={pending || undefined}
      aria-label={`Pause ${whom}`}
      aria-keyshortcuts={`p ${key} ${key}`}
      title={against ?? `Pause ${whom}: idle with size 0, at once (p ${key} ${key})${also}`}
      disabled={against !== null}
      onClick={() => void pauseNow(client, queries, layer)}
    >
      <IconPlayerPauseFilled size={14} aria-hidden />
      <span>{pending ? 'Pausing' : layer === null ? 'Pause all' : 'Pause'}</span>
    </button>
  )
}

/** True if there is a button for a key, something to pause, and the right to do it. */
export function canPress(key: string): boolean {
  return buttonOf(key)?.disabled === false
}

/** Press the button a key stands for, where there is one and something to pause. */
export function pressPause(key: string): boolean {
  const button = buttonOf(key)
  button?.click()
  return button !== null
}

function buttonOf(key: string): HTMLButtonElement | null {
  return document.querySelector<HTMLButtonElement>(`[data-pause-key="${key}"]`)
}
