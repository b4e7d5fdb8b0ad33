import { Button } from '@mantine/core'
import type { Look } from './look.ts'
import type { AssetPreview } from './verdict.ts'
import classes from './Waiting.module.css'

interface WaitingProps {
  look: Look
  previews: readonly AssetPreview[]
  /** Why there is no verdict. */
  error: Error | null
  /** Makes the change without the effect; undefined if that is not possible now. */
  save: (() => void) | undefined
  again(): void
}

/** Says that the effect has not come, with the way to save without it. Its line is always there: nothing jumps. */
export function Waiting({ look, previews, error, save, again }: WaitingProps) {
  const came = previews.filter(({ data }) => data !== undefined).length
  const reason = error?.message ?? previews.find((preview) => preview.error !== null)?.error?.message
  return (
    <div className={classes.line} role="status">
      {look !== 'seen' && (
        <>
          <span className={classes.words} title={reason}>
            {look === 'waiting'
              ? `Waiting for the effect on past bars${previews.length > 1 ? ` (${came} of ${previews.length})` : ''}`
              : `The effect on past bars did not come: ${reason}`}
          </span>
          {look === 'failed' && (
            <Button size="compact-xs" variant="default" onClick={again}>
              Ask again
            </Button>
          )}
          <Button size="compact-xs" variant="default" disabled={save === undefined} onClick={save}>
            Go ahead without it
          </Button>
        </>
      )}
    </div>
  )
}
