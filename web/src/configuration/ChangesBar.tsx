import { Button } from '@mantine/core'
import type { DraftSnapshot } from 'vivienne-client/draft'
import { useWhyNot } from '../signin/roles.ts'
import classes from './ChangesBar.module.css'
import { useForm } from './FormContext.ts'
import { count } from './plural.ts'
import { useConnected } from './useConnected.ts'

/** Unsaved changes, with buttons to discard and review them. Shown only while there are some. */
export function ChangesBar({ snapshot }: { snapshot: DraftSnapshot }) {
  const { draft, review } = useForm()
  const offline = !useConnected()
  const whyNot = useWhyNot('tuner')
  const edited = Object.values(snapshot.fields).filter((field) => field.typed !== undefined)
  if (edited.length === 0) return null
  const { problems, conflicts, savable, changed } = snapshot
  return (
    <section className={classes.bar} aria-label="Changes that are not saved">
      <div className={classes.words} role="status">
        <strong>{count(changed.length, 'change')}</strong>
        {problems.length > 0 && <span data-kind="wrong">{count(problems.length, 'problem')}</span>}
        {conflicts.length > 0 && <span data-kind="conflict">{conflicts.length} changed elsewhere</span>}
        {whyNot !== null && <span data-kind="conflict">Only a trial: your role cannot save it</span>}
        {offline && <span data-kind="conflict">Not connected: you can edit, but not save</span>}
      </div>
      <Button size="xs" variant="subtle" onClick={() => draft.revertAll()}>
        Discard
      </Button>
      <Button size="xs" disabled={savable && offline} onClick={review}>
        {savable || changed.length === 0 ? 'Review' : problems.length > 0 ? 'Show problem' : 'Decide'}
      </Button>
    </section>
  )
}
