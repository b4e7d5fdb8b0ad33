import { Button, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react'
import { type AlertChanged, type AlertRule, type ProblemEntry, VivienneProblem } from 'vivienne-client'
import { alerts } from '../../client.ts'
import { Author } from '../../configuration/Author.tsx'
import failureClasses from '../../configuration/Failure.module.css'
import { useConnected } from '../../configuration/useConnected.ts'
import { failureWords } from '../../parts/failure.ts'
import { useWhyNot } from '../../signin/roles.ts'
import { Basics } from './Basics.tsx'
import { Channels } from './Channels.tsx'
import { CONDITION_PATHS, Conditions, conditionCount } from './Conditions.tsx'
import { type Draft, documentOf, draftOf } from './draft.ts'
import { EventConditions } from './EventConditions.tsx'
import { Fold } from './Fold.tsx'
import { type Form, FormContext } from './FormContext.ts'
import { Preview } from './Preview.tsx'
import { elsewhere, sentencesAt, without } from './problems.ts'
import classes from './RuleForm.module.css'
import { forgetTyped, keepTyped, typedBefore } from './typed.ts'

/** Fields that say themselves what is wrong with them. */
const SHOWN = [
  ...['name', 'assets', 'event', 'levels', 'when', 'filters', 'above', 'below', 'authors', 'paths', 'text', 'channels'],
  ...CONDITION_PATHS,
]

interface RuleFormProps {
  /** The rule that is edited; null for a new one. */
  rule: AlertRule | null
  onSaved(changed: AlertChanged): void
  onClose(): void
}

/** Makes or edits a rule: the usual things first, what it would send beside them. */
export function RuleForm({ rule: given, onSaved, onClose }: RuleFormProps) {
  // As it was when the form was opened: what somebody else changes since is a conflict.
  const [rule] = useState(given)
  const id = rule === null ? '' : `${rule.alert_id} ${rule.version}`
  const [initial] = useState<Draft>(() => typedBefore(id) ?? draftOf(rule))
  const [draft, setDraft] = useState(initial)
  const [problems, setProblems] = useState<readonly ProblemEntry[]>([])
  const element = useRef<HTMLFormElement>(null)
  useEffect(() => {
    window.scrollTo(0, 0)
  }, [])
  useEffect(() => {
    if (draft !== initial) keepTyped(id, draft)
  }, [id, draft, initial])
  const form = useMemo<Form>(
    () => ({
      draft,
      problems,
      change(values, ...paths) {
        setDraft((before) => ({ ...before, ...values }))
        setProblems((before) => without(before, paths))
      },
    }),
    [draft, problems],
  )
  const close = () => {
    forgetTyped(id)
    onClose()
  }
  const [refused, setRefused] = useState<readonly ProblemEntry[]>([])
  const refuse = (found: readonly ProblemEntry[]) => {
    setProblems(found)
    setRefused(found)
  }
  useEffect(() => {
    if (refused.length > 0) element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [refused])
  const saving = useSaving(rule, draft, refuse, (changed) => {
    forgetTyped(id)
    onSaved(changed)
  })
  const count = conditionCount(draft)
  const wrong = CONDITION_PATHS.some((path) => sentencesAt(problems, path) !== undefined)
  return (
    <FormContext value={form}>
      <form
        ref={element}
        className={classes.form}
        aria-label={rule === null ? 'New rule' : `Rule ${rule.name}`}
        noValidate
        onSubmit={saving.save}
        onKeyDown={(event) => event.key === 'Escape' && !event.defaultPrevented && close()}
      >
        <div className={`panel ${classes.fields}`}>
          <Basics />
          <EventConditions />
          <Channels />
          <Fold
            className={classes.conditions}
            summary={<>More conditions {count > 0 && <span className={classes.count}>{count} set</span>}</>}
            initially={count > 0}
            forced={wrong}
          >
            <div className={classes.inside}>
              <Conditions />
            </div>
          </Fold>
        </div>
        <aside className={classes.aside}>
          <Preview />
        </aside>
        <End rule={rule} problems={problems} saving={saving} close={close} />
      </form>
    </FormContext>
  )
}

interface Saving {
  readonly save: (event: FormEvent) => void
  readonly isSaving: boolean
  readonly error: Error | null
  readonly reason: string
  setReason(reason: string): void
}

/** Sends the rule; what is wrong with it is said at its fields, and what is typed stays. */
function useSaving(
  rule: AlertRule | null,
  draft: Draft,
  refuse: (problems: readonly ProblemEntry[]) => void,
  onSaved: (changed: AlertChanged) => void,
): Saving {
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const [isSaving, setSaving] = useState(false)
  const [error, setError] = useState<Error | null>(null)
  // A repetition of a request without an answer is made once.
  const request = useRef<{ document: string; id: string } | null>(null)
  const whyNot = useWhyNot('tuner')
  const isConnected = useConnected()
  const send = async () => {
    const document = documentOf(draft)
    const text = JSON.stringify(document)
    if (request.current?.document !== text) request.current = { document: text, id: randomId() }
    const signature = { requestId: request.current.id, ...(reason.trim() !== '' && { reason: reason.trim() }) }
    setSaving(true)
    setError(null)
    try {
      const changed = await (rule === null
        ? alerts.make(document, signature)
        : alerts.replace(rule.alert_id, document, { ...signature, expectedVersion: rule.version }))
      await queries.invalidateQueries({ queryKey: ['alerts'] })
      onSaved(changed)
    } catch (thrown) {
      const failed = thrown instanceof Error ? thrown : new Error(String(thrown))
      if (failed instanceof VivienneProblem) request.current = null
      refuse(failed instanceof VivienneProblem ? failed.errors : [])
      setError(failed)
    } finally {
      setSaving(false)
    }
  }
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (!isSaving && whyNot === null && isConnected) void send()
  }
  return { save, isSaving, error, reason, setReason }
}

function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}

interface EndProps {
  rule: AlertRule | null
  problems: readonly ProblemEntry[]
  saving: Saving
  close(): void
}

/** Why it was not saved, the reason for the history, and the buttons. */
function End({ rule, problems, saving, close }: EndProps) {
  const whyNot = useWhyNot('tuner')
  const isConnected = useConnected()
  const { error, isSaving, reason, setReason } = saving
  return (
    <div className={`panel ${classes.end}`}>
      {error !== null && <NotSaved error={error} problems={problems} />}
      {whyNot === null ? (
        <>
          <TextInput
            size="xs"
            label="Reason"
            description="Optional; kept in the history."
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Author />
        </>
      ) : (
        <p className={classes.waits}>{whyNot}</p>
      )}
      {!isConnected && (
        <p className={classes.waits}>
          The server is not connected. Your input is kept; save it when the server is back.
        </p>
      )}
      <div className={classes.buttons}>
        <Button variant="default" onClick={close}>
          {whyNot === null ? 'Cancel' : 'Back'}
        </Button>
        {whyNot === null && (
          <Button type="submit" loading={isSaving} disabled={!isConnected}>
            {rule === null ? 'Make the rule' : 'Save'}
          </Button>
        )}
      </div>
    </div>
  )
}

function NotSaved({ error, problems }: { error: Error; problems: readonly ProblemEntry[] }) {
  const conflict = error instanceof VivienneProblem && error.code === 'version_conflict'
  const others = elsewhere(problems, SHOWN)
  const refused = error instanceof VivienneProblem && error.errors.length > 0
  if (refused && problems.length === 0) return null
  return (
    <div className={failureClasses.failure} role="alert">
      <strong>{conflict ? 'Not saved: somebody else has changed this rule' : 'Not saved'}</strong>
      {refused ? (
        others.map(({ path, message }) => <p key={`${path} ${message}`}>{message}</p>)
      ) : (
        <p>{failureWords(error)}</p>
      )}
      {others.length < problems.length && <p>See the fields that are marked.</p>}
      <p className={failureClasses.kept}>
        {conflict ? 'Cancel, and open the rule again to edit it as it is now.' : 'Your input is kept.'}
      </p>
    </div>
  )
}
