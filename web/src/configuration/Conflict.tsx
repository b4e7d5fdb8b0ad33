import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { DraftField, FieldSpec } from 'vivienne-client/draft'
import { useVivienneClient } from 'vivienne-client/react'
import { Age } from '../parts/Age.tsx'
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
        <ChangedBy path={spec.path} value={state.value} />
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

/** Who changed a value last, when and why. */
function ChangedBy({ path, value }: { path: string; value: unknown }) {
  const { layer } = useForm()
  const client = useVivienneClient()
  const { data } = useQuery({
    queryKey: ['changed by', layer, path, value],
    queryFn: ({ signal }) => client.rest.history({ asset: layer, own: layer === null, field: path, limit: 1, signal }),
    gcTime: 0,
  })
  const entry = data?.history[0]
  // A line of its own, kept free: the buttons below stay where they are.
  return (
    <span className={classes.by}>
      {entry && (
        <>
          By <strong>{entry.author}</strong>, <Age time={entry.created_at} />, version {entry.version}
          {layer !== null && entry.asset_symbol === null && ', for all assets'}
          {entry.reason === null ? ', without a reason.' : `: ${entry.reason}`}
        </>
      )}
    </span>
  )
}
