import { Textarea } from '@mantine/core'
import { IconNote } from '@tabler/icons-react'
import { memo, useState } from 'react'
import type { DraftField, FieldSpec } from 'vivienne-client/draft'
import { Conflict } from './Conflict.tsx'
import { useFieldKeys } from './Field.tsx'
import { useForm } from './FormContext.ts'
import classes from './NoteField.module.css'
import { Source } from './Source.tsx'

/** A note of a section: one line to read until it is edited. */
export const NoteField = memo(function NoteField({
  spec,
  state,
  section,
}: {
  spec: FieldSpec
  state: DraftField
  section: string
}) {
  const { draft } = useForm()
  const [opened, setOpened] = useState(false)
  const keys = useFieldKeys(spec, state)
  const open = opened || state.typed !== undefined || state.error !== null
  const text = String(state.typed ?? state.value ?? '')
  const label = spec.title === 'Description' ? `Note on ${section}` : spec.title
  return (
    // The keys are those of the text area inside.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div
      className={classes.note}
      data-path={spec.path}
      data-edited={state.typed !== undefined || undefined}
      onKeyDown={keys}
    >
      {open ? (
        <>
          <Textarea
            label={label}
            description={`${spec.description} ${text.length} of ${spec.longest ?? 500} characters.`}
            autosize
            minRows={2}
            maxRows={8}
            size="xs"
            autoFocus={opened}
            value={text}
            error={state.error}
            onChange={(event) => draft.set(spec.path, event.currentTarget.value)}
          />
          <Source spec={spec} state={state} />
          {state.conflict && <Conflict spec={spec} state={state} />}
        </>
      ) : (
        <button type="button" className={classes.read} onClick={() => setOpened(true)} aria-label={`${label}: edit`}>
          <IconNote size={14} aria-hidden />
          <span>{text === '' ? 'Add a note' : text}</span>
        </button>
      )}
    </div>
  )
})
