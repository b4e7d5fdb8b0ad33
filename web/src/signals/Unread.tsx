import { Button } from '@mantine/core'
import failure from '../configuration/Failure.module.css'
import { failureTitle, failureWords, isLost } from '../parts/failure.ts'

interface UnreadProps {
  error: Error | null
  again: () => unknown
}

/** The record could not be read, or there is none: why, and what to do. */
export function Unread({ error, again }: UnreadProps) {
  if (error === null) return null
  return (
    <div className={failure.failure} data-kind="calm" role="status">
      <strong>{failureTitle(error)}</strong>
      <p>{failureWords(error)}</p>
      {isLost(error) && (
        <Button size="compact-sm" variant="default" mt={8} onClick={() => again()}>
          Try again
        </Button>
      )}
    </div>
  )
}
