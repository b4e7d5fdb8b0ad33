import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { DraftSnapshot } from 'vivienne-client/draft'
import { useWhyNot } from '../signin/roles.ts'
import classes from './ChangesBar.module.css'
import { useForm } from './FormContext.ts'
import { count } from './plural.ts'
import { useConnected } from './useConnected.ts'
import { type Unsaved, unsavedIn } from './useUnsaved.ts'

/** How long discarded changes can be brought back, in ms. */
const RETURNS = 20_000

/** Unsaved changes, with buttons to discard and review them; after that, for a while, a button to bring them back. */
export function ChangesBar({ snapshot }: { snapshot: DraftSnapshot }) {
  const { review } = useForm()
  const offline = !useConnected()
  const whyNot = useWhyNot('tuner')
  const { discarded, discard, bringBack } = useDiscarded()
  const edited = Object.values(snapshot.fields).filter((field) => field.typed !== undefined)
  if (edited.length === 0) {
    if (discarded === null) return null
    return (
      <section className={classes.bar} data-calm aria-label="Changes that were discarded">
        <div className={classes.words} role="status">
          {count(discarded.length, 'change')} discarded
        </div>
        <Button size="xs" variant="default" onClick={bringBack}>
          Undo
        </Button>
      </section>
    )
  }
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
      <Button size="xs" variant="subtle" onClick={discard}>
        Discard
      </Button>
      <Button size="xs" disabled={savable && offline} onClick={review}>
        {savable || changed.length === 0 ? 'Review' : problems.length > 0 ? 'Show problem' : 'Decide'}
      </Button>
    </section>
  )
}

/** What was discarded last, until it is brought back or too long ago. */
function useDiscarded() {
  const { draft } = useForm()
  const [discarded, setDiscarded] = useState<readonly Unsaved[] | null>(null)
  useEffect(() => {
    if (discarded === null) return
    const timer = setTimeout(() => setDiscarded(null), RETURNS)
    return () => clearTimeout(timer)
  }, [discarded])
  const discard = () => {
    setDiscarded(unsavedIn(draft))
    draft.revertAll()
  }
  const bringBack = () => {
    for (const [path, typed, base] of discarded ?? []) draft.resume(path, typed, base)
    setDiscarded(null)
  }
  return { discarded, discard, bringBack }
}
