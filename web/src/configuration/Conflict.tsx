import { Button } from '@mantine/core'
import type { DraftField, FieldSpec } from 'vivienne-client/draft'
import classes from './Conflict.module.css'
import { useForm } from './FormContext.ts'
import { valueWords } from './reading.ts'

/** A value that was changed elsewhere while it is edited here: both are shown, and a person decides. */
export function Conflict({ spec, state }: { spec: FieldSpec; state: DraftField }) {
  const { draft } = useForm()
  const theirs = valueWords(undefined, state.value)
  const mine = valueWords(undefined, state.typed)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would ask for a legend of its own
    <div className={classes.conflict} role="group" aria-label={`${spec.title} was changed elsewhere`}>
      <p>
        Changed elsewhere from {valueWords(undefined, state.base)} to <strong>{theirs}</strong>; you typed{' '}
        <strong>{mine}</strong>.
      </p>
      <Button size="compact-xs" variant="filled" onClick={() => draft.keepMine(spec.path)}>
        Keep mine: {mine}
      </Button>
      <Button size="compact-xs" variant="default" onClick={() => draft.takeTheirs(spec.path)}>
        Take theirs: {theirs}
      </Button>
    </div>
  )
}
