import { NativeSelect } from '@mantine/core'
import { IconArrowBackUp, IconInfoCircle } from '@tabler/icons-react'
import { type KeyboardEvent, memo, useId, useState } from 'react'
import type { DraftField, FieldSpec } from 'vivienne-client/draft'
import { Conflict } from './Conflict.tsx'
import classes from './Field.module.css'
import { useForm } from './FormContext.ts'
import { NumberField } from './NumberField.tsx'
import { boundsWords, unitWords, valueWords } from './reading.ts'
import { Source } from './Source.tsx'
import { Toggle } from './Toggle.tsx'

interface FieldProps {
  spec: FieldSpec
  state: DraftField
}

/** One value: title, control, bounds and source. */
export const Field = memo(function Field({ spec, state }: FieldProps) {
  const id = useId()
  const [described, setDescribed] = useState(false)
  const keys = useFieldKeys(spec, state)
  const edited = state.typed !== undefined
  return (
    // The keys are those of the field inside, heard here for all kinds of fields.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div
      className={classes.field}
      data-path={spec.path}
      data-kind={spec.kind}
      data-edited={edited || undefined}
      data-conflict={state.conflict || undefined}
      data-invalid={state.error !== null || undefined}
      onKeyDown={keys}
    >
      <ChangedElsewhere value={state.value} edited={edited} />
      <div className={classes.name}>
        <label htmlFor={id}>{spec.title}</label>
        {spec.description !== '' && (
          <button
            type="button"
            className={classes.info}
            aria-label={`About ${spec.title}`}
            aria-expanded={described}
            title={spec.description}
            tabIndex={-1}
            onClick={() => setDescribed(!described)}
          >
            <IconInfoCircle size={14} aria-hidden />
          </button>
        )}
        <p id={`${id}-description`} className={classes.description} data-open={described || undefined}>
          {inWords(spec.description)}
          {spec.hint !== undefined && ` (${spec.hint})`}
        </p>
      </div>
      <div className={classes.control}>
        <Control spec={spec} state={state} id={id} describedBy={`${id}-error ${id}-bounds ${id}-description`} />
      </div>
      <div className={classes.origin}>
        {edited ? <Edited spec={spec} state={state} /> : <Source spec={spec} state={state} />}
      </div>
      <p id={`${id}-bounds`} className={classes.bounds}>
        {[boundsWords(spec), unitWords(spec)].filter(Boolean).join(' · ')}
      </p>
      <p id={`${id}-error`} className={classes.error} aria-live="polite">
        {state.error}
      </p>
      {state.conflict && <Conflict spec={spec} state={state} />}
    </div>
  )
})

function Control({ spec, state, id, describedBy }: FieldProps & { id: string; describedBy: string }) {
  const { draft } = useForm()
  const value = state.typed ?? state.value
  if (spec.kind === 'boolean') {
    return (
      <span className={classes.switch}>
        <Toggle
          id={id}
          checked={value === true}
          aria-describedby={describedBy}
          onChange={(event) => draft.set(spec.path, event.currentTarget.checked)}
        />
        <span aria-hidden>{value === true ? 'on' : 'off'}</span>
      </span>
    )
  }
  if (spec.kind === 'choice') {
    return (
      <NativeSelect
        id={id}
        size="xs"
        value={String(value ?? '')}
        data={(spec.choices ?? []).map(String)}
        aria-describedby={describedBy}
        onChange={(event) => {
          const choice = spec.choices?.find((each) => String(each) === event.currentTarget.value)
          if (choice !== undefined) draft.set(spec.path, choice)
        }}
      />
    )
  }
  return <NumberField spec={spec} state={state} id={id} describedBy={describedBy} />
}

/** Value in force while a field is edited, with a button to revert. */
function Edited({ spec, state }: FieldProps) {
  const { draft } = useForm()
  return (
    <span className={classes.was}>
      in force: {valueWords(undefined, state.value)}
      <button
        type="button"
        className={classes.revert}
        aria-label={`Revert ${spec.title} to ${valueWords(undefined, state.value)}`}
        title="Esc does the same"
        onClick={() => draft.revert(spec.path)}
      >
        <IconArrowBackUp size={13} aria-hidden /> Revert
      </button>
    </span>
  )
}

/** Tints the field for a moment when its value comes into force, without changing its text. */
function ChangedElsewhere({ value, edited }: { value: unknown; edited: boolean }) {
  const [last, setLast] = useState({ value, times: 0 })
  if (last.value !== value) setLast({ value, times: last.times + 1 })
  if (last.times === 0 || edited) return null
  return <span key={last.times} className={`${classes.tint} flash`} aria-hidden />
}

/** Enter reviews, Esc takes the edit of this field back. */
export function useFieldKeys(spec: FieldSpec, state: DraftField): (event: KeyboardEvent) => void {
  const { draft, review } = useForm()
  return (event) => {
    if (event.nativeEvent.isComposing || event.target instanceof HTMLButtonElement) return
    if (event.key === 'Escape' && state.typed !== undefined) {
      event.preventDefault()
      event.stopPropagation()
      draft.revert(spec.path)
    }
    const inNote = event.target instanceof HTMLTextAreaElement
    if (event.key === 'Enter' && (!inNote || event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      review()
    }
  }
}

/** Descriptions mark names with backticks; a person reads the names. */
function inWords(description: string) {
  return description.split('`').map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence do not move
    index % 2 === 1 ? <code key={index}>{part}</code> : part,
  )
}
