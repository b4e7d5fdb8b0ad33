import { type Dispatch, type SetStateAction, useEffect, useMemo, useState } from 'react'
import type { AlertRule } from 'vivienne-client'
import { useWhyNot } from '../../signin/roles.ts'
import { type Draft, documentOf, draftOf } from './draft.ts'
import { forgetTyped, keepTyped, NEW, typedBefore } from './typed.ts'

interface TypedForm {
  /** As it was when the typing began: what somebody else changes since is a conflict. */
  readonly rule: AlertRule | null
  readonly draft: Draft
  readonly setDraft: Dispatch<SetStateAction<Draft>>
  /** It would change the rule, and can be saved by this user. */
  readonly isEdited: boolean
  /** It began with what was typed before. */
  readonly isRestored: boolean
  readonly forget: () => void
}

/** The draft of a form. What is typed stays when another page is opened, until it is saved or discarded. */
export function useTyped(given: AlertRule | null): TypedForm {
  const id = given?.alert_id ?? NEW
  const [before] = useState(() => typedBefore(id))
  const [rule] = useState(before === undefined ? given : before.rule)
  const [draft, setDraft] = useState(() => before?.draft ?? draftOf(rule))
  const saved = useMemo(() => JSON.stringify(documentOf(draftOf(rule))), [rule])
  const mayNot = useWhyNot('tuner') !== null
  const isEdited = !mayNot && JSON.stringify(documentOf(draft)) !== saved
  useEffect(() => {
    if (isEdited) keepTyped(id, { draft, rule })
    else forgetTyped(id)
  }, [id, draft, rule, isEdited])
  return { rule, draft, setDraft, isEdited, isRestored: before !== undefined, forget: () => forgetTyped(id) }
}
