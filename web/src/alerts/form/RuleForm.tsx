import { Button, TextInput } from '@mantine/core'
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { type AlertChanged, type AlertRule, type ProblemEntry, VivienneProblem } from 'vivienne-client'
import { Author } from '../../configuration/Author.tsx'
import failureClasses from '../../configuration/Failure.module.css'
import { useConnected } from '../../configuration/useConnected.ts'
import { failureWords } from '../../parts/failure.ts'
import { useWhyNot } from '../../signin/roles.ts'
import { Basics } from './Basics.tsx'
import { Channels } from './Channels.tsx'
import { CONDITION_PATHS, Conditions, conditionCount } from './Conditions.tsx'
import { Discard } from './Discard.tsx'
import { EventConditions } from './EventConditions.tsx'
import { Fold } from './Fold.tsx'
import { type Form, FormContext, useForm } from './FormContext.ts'
import { Preview } from './Preview.tsx'
import { elsewhere, sentencesAt, without } from './problems.ts'
import classes from './RuleForm.module.css'
import { type Saving, useSaving } from './useSaving.ts'
import { useTyped } from './useTyped.ts'

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
export function RuleForm(props: RuleFormProps) {
  // Each beginning is a form of its own.
  const [beginnings, setBeginnings] = useState(0)
  return <Begun key={beginnings} {...props} onRestart={() => setBeginnings((before) => before + 1)} />
}

function Begun({ rule: given, onSaved, onClose, onRestart }: RuleFormProps & { onRestart(): void }) {
  const { rule, draft, setDraft, isEdited, isRestored, forget } = useTyped(given)
  const [problems, setProblems] = useState<readonly ProblemEntry[]>([])
  const [asks, setAsks] = useState(false)
  const element = useRef<HTMLFormElement>(null)
  useEffect(() => {
    window.scrollTo(0, 0)
  }, [])
  const form = useMemo<Form>(
    () => ({
      draft,
      problems,
      change(values, ...paths) {
        setDraft((before) => ({ ...before, ...values }))
        setProblems((before) => without(before, paths))
      },
    }),
    [draft, setDraft, problems],
  )
  const leave = () => {
    forget()
    onClose()
  }
  const close = () => (isEdited ? setAsks(true) : leave())
  const refuse = useRefusal(element, setProblems)
  const saving = useSaving(rule, draft, refuse, (changed) => {
    forget()
    onSaved(changed)
  })
  return (
    <FormContext value={form}>
      {isRestored && (
        <Restored
          isOld={given?.version !== rule?.version}
          onDiscard={() => {
            forget()
            onRestart()
          }}
        />
      )}
      <form
        ref={element}
        className={classes.form}
        aria-label={rule === null ? 'New rule' : `Rule ${rule.name}`}
        noValidate
        onSubmit={saving.save}
        onKeyDown={(event) => event.key === 'Escape' && !event.defaultPrevented && close()}
      >
        <Fields />
        <aside className={classes.aside}>
          <Preview />
        </aside>
        <End rule={rule} problems={problems} saving={saving} close={close} />
      </form>
      {asks && <Discard isNew={rule === null} onStay={() => setAsks(false)} onDiscard={leave} />}
    </FormContext>
  )
}

/** Notes what the server says is wrong, and puts the caret into the first field of it. */
function useRefusal(
  form: RefObject<HTMLFormElement | null>,
  setProblems: (problems: readonly ProblemEntry[]) => void,
): (problems: readonly ProblemEntry[]) => void {
  const [refused, setRefused] = useState<readonly ProblemEntry[]>([])
  useEffect(() => {
    if (refused.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [form, refused])
  return (found) => {
    setProblems(found)
    setRefused(found)
  }
}

function Fields() {
  const { draft, problems } = useForm()
  const count = conditionCount(draft)
  const wrong = CONDITION_PATHS.some((path) => sentencesAt(problems, path) !== undefined)
  return (
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
  )
}

/** Says that the form does not begin with what is saved. */
function Restored({ isOld, onDiscard }: { isOld: boolean; onDiscard(): void }) {
  return (
    <p className={`panel ${classes.restored}`} role="status">
      <span>
        What you typed before and did not save is here again.
        {isOld && ' Somebody else has changed the rule since, so it cannot be saved.'}
      </span>
      <Button size="compact-sm" variant="default" onClick={onDiscard}>
        Discard it
      </Button>
    </p>
  )
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
