import { Button, Modal, TextInput } from '@mantine/core'
import { IconAlertTriangleFilled } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { type PauseEntry, VivienneError, VivienneProblem } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { Author } from '../configuration/Author.tsx'
import failures from '../configuration/Failure.module.css'
import review from '../configuration/Review.module.css'
import { useFocusReturn } from '../configuration/useFocusReturn.ts'
import { Age } from '../parts/Age.tsx'
import { askAgain, useOwnPause, usePauses } from './pauses.ts'
import classes from './ResumeDialog.module.css'
import { resumptionWords } from './words.ts'

interface ResumeDialogProps {
  layer: string | null
  onClose(): void
}

/** Asks before decisions are made again: who stopped them, why, and what follows. Enter resumes, Esc leaves. */
export function ResumeDialog({ layer, onClose }: ResumeDialogProps) {
  useFocusReturn()
  const pause = useOwnPause(layer)
  const whom = layer ?? 'all assets'
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Resume ${whom}?`}
      size="min(34rem, 94vw)"
      centered
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Keep it paused' }}
    >
      {pause === undefined ? (
        <div className={classes.form}>
          <p>{layer === null ? 'All assets are' : `${layer} is`} not paused any more.</p>
          <div className={review.buttons}>
            <Button onClick={onClose} data-autofocus>
              Close
            </Button>
          </div>
        </div>
      ) : (
        <ResumeForm layer={layer} pause={pause} onClose={onClose} />
      )}
    </Modal>
  )
}

function ResumeForm({ layer, pause, onClose }: ResumeDialogProps & { pause: PauseEntry }) {
  const pauses = usePauses()
  const [reason, setReason] = useState('')
  const [seen, setSeen] = useState(pause.config_id)
  const { resume, resuming, error } = useResuming(layer, onClose)
  const again = seen !== pause.config_id
  const submit = (event: FormEvent) => {
    event.preventDefault()
    // What was read before the button was pressed is what counts.
    if (again) setSeen(pause.config_id)
    else if (!resuming) void resume(reason.trim(), pause)
  }
  return (
    // A key that is held says nothing about what came since it was pressed.
    <form
      className={classes.form}
      onSubmit={submit}
      onKeyDown={(event) => event.key === 'Enter' && event.repeat && event.preventDefault()}
    >
      {error !== null && <NotResumed error={error} />}
      {again && (
        <div className={failures.failure} data-kind="calm" role="alert">
          <strong>It has been paused again</strong>
          <p>Check the author and reason before you resume.</p>
        </div>
      )}
      <p>
        Paused by <strong>{pause.author}</strong>, <Age time={pause.created_at} />
        {pause.reason === null ? ', without a reason.' : ':'}
      </p>
      {pause.reason !== null && <p className={classes.reason}>{pause.reason}</p>}
      <p>{resumptionWords(layer, pauses)}</p>
      <TextInput
        label="Reason"
        description="Optional; kept in the history."
        placeholder="prices are right again"
        maxLength={500}
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Author />
      <div className={review.buttons}>
        <Button variant="default" onClick={onClose}>
          Keep it paused <kbd className={review.key}>Esc</kbd>
        </Button>
        <Button type="submit" loading={resuming}>
          {again ? 'Understood' : 'Resume'} <kbd className={review.key}>Enter</kbd>
        </Button>
      </div>
    </form>
  )
}

function NotResumed({ error }: { error: unknown }) {
  const unknown = error instanceof VivienneError && !(error instanceof VivienneProblem)
  return (
    <div className={failures.failure} role="alert">
      <strong>
        <IconAlertTriangleFilled size={14} aria-hidden />{' '}
        {unknown ? 'Result of the resumption unknown' : 'Not resumed: it stays paused'}
      </strong>
      <p>{error instanceof Error ? error.message : 'The server gave no reason.'}</p>
      {unknown && <p>Press Resume again: it is applied at most once.</p>}
    </div>
  )
}

/** Resume; what goes wrong stays until the next attempt, which is the same request where its outcome is unknown. */
function useResuming(layer: string | null, onDone: () => void) {
  const client = useVivienneClient()
  const queries = useQueryClient()
  const [resuming, setResuming] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [open, setOpen] = useState<{ reason: string; requestId: string } | null>(null)
  const resume = async (reason: string, pause: PauseEntry) => {
    setResuming(true)
    try {
      const same = open?.reason === reason ? { requestId: open.requestId } : {}
      // The request may wait in the browser while somebody pauses again.
      await client.rest.resume({ asset: layer, pause, ...(reason && { reason }), ...same })
      onDone()
      await askAgain(queries)
    } catch (refused) {
      const unknown = refused instanceof VivienneError && !(refused instanceof VivienneProblem)
      setOpen(unknown && refused.requestId !== undefined ? { reason, requestId: refused.requestId } : null)
      setError(refused)
      void askAgain(queries)
    } finally {
      setResuming(false)
    }
  }
  return { resume, resuming, error }
}
