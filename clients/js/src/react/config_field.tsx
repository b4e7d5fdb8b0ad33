import {
  type ChangeEvent,
  type KeyboardEvent,
  memo,
  type ReactNode,
  type Ref,
  type RefObject,
  useId,
  useRef,
} from 'react'
import type { FieldSpec } from '../draft/sections.js'
import type { ConfigDraft, DraftField } from '../draft/snapshot.js'
import type { Typed } from '../draft/typed.js'
import { inherited, measure, origin, shown } from './wording.js'

/** Focusable element of a field. */
type AnyControl = HTMLInputElement & HTMLSelectElement

interface ConfigFieldProps {
  readonly spec: FieldSpec
  readonly field: DraftField
  readonly draft: ConfigDraft
  /** Whose layer is edited; null for that under all assets. */
  readonly asset: string | null
  readonly onReset: (path: string) => void
}

/** One field with all there is to say about it. Renders only when that is different. */
export const ConfigField = memo(function ConfigField({
  spec,
  field,
  draft,
  asset,
  onReset,
}: ConfigFieldProps): ReactNode {
  const { path, title } = spec
  const id = useId()
  const control = useRef<AnyControl>(null)
  const own = field.source === (asset === null ? 'global' : 'asset')
  const about = measure(spec)
  const notes = [
    ...(about === '' ? [] : [`${id}-unit`]),
    `${id}-about`,
    ...(field.conflict ? [`${id}-conflict`] : []),
    ...(field.error === null ? [] : [`${id}-error`]),
  ]
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || field.typed === undefined) return
    // The first Esc is for the field; whatever is around gets the next one.
    event.stopPropagation()
    event.preventDefault()
    draft.revert(path)
  }
  return (
    <div className="vivienne-field" data-path={path} data-edited={field.typed !== undefined}>
      <label htmlFor={id}>{title}</label>{' '}
      <Control
        {...{ spec, field, id }}
        controlRef={control}
        onTyped={(typed) => draft.set(path, typed)}
        onKeyDown={onKeyDown}
        aria-invalid={field.error !== null}
        aria-describedby={notes.join(' ')}
      />{' '}
      {about !== '' && (
        <span id={`${id}-unit`} className="vivienne-unit">
          {about}
        </span>
      )}
      <p className="vivienne-about">
        <span id={`${id}-about`}>
          <Sentences text={spec.description} /> <span className="vivienne-source">{origin(field, asset)}</span>
        </span>{' '}
        {own && (
          <button type="button" aria-label={`Reset ${title} to ${inherited(field)}`} onClick={() => onReset(path)}>
            Reset to {inherited(field)}
          </button>
        )}
      </p>
      {field.conflict && <Conflict field={field} draft={draft} id={`${id}-conflict`} control={control} />}
      {field.error !== null && (
        <p id={`${id}-error`} className="vivienne-error">
          {field.error}
        </p>
      )}
    </div>
  )
})

interface ConflictProps {
  readonly field: DraftField
  readonly draft: ConfigDraft
  readonly id: string
  readonly control: RefObject<AnyControl | null>
}

/** Both values of a field that was changed elsewhere while it is edited, to choose from. */
function Conflict({ field, draft, id, control }: ConflictProps): ReactNode {
  const decide = (decision: (path: string) => void) => {
    decision(field.path)
    control.current?.focus() // the button that had it is gone
  }
  return (
    <div className="vivienne-conflict">
      <p id={id} role="alert">
        Changed elsewhere: {shown(field.value)} is in force now, it was {shown(field.base)}.
      </p>
      <button type="button" onClick={() => decide((path) => draft.keepMine(path))}>
        Keep {shown(field.typed)}
      </button>
      <button type="button" onClick={() => decide((path) => draft.takeTheirs(path))}>
        Take {shown(field.value)}
      </button>
    </div>
  )
}

/** Sentences of the schema, in which names stand between backticks. */
function Sentences({ text }: { readonly text: string }): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence have no other identity, and do not move
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))
}

interface ControlProps {
  readonly spec: FieldSpec
  readonly field: DraftField
  readonly id: string
  readonly controlRef: Ref<AnyControl>
  readonly onTyped: (typed: Typed) => void
  readonly onKeyDown: (event: KeyboardEvent) => void
  readonly 'aria-invalid': boolean
  readonly 'aria-describedby': string
}

function Control({ spec, field, onTyped, controlRef, ...attributes }: ControlProps): ReactNode {
  const rest = { ...attributes, ref: controlRef }
  const value = field.typed ?? field.value
  switch (spec.kind) {
    case 'boolean':
      return (
        <input {...rest} type="checkbox" checked={value === true} onChange={(event) => onTyped(event.target.checked)} />
      )
    case 'choice':
      return (
        <select
          {...rest}
          value={String(spec.choices?.indexOf(value as Typed))}
          onChange={(event) => onTyped(spec.choices?.[Number(event.target.value)] ?? '')}
        >
          {spec.choices?.map((choice, index) => (
            <option key={String(choice)} value={index}>
              {shown(choice)}
            </option>
          ))}
        </select>
      )
    case 'text':
      return (
        <input {...rest} type="text" value={String(value ?? '')} onChange={(event) => onTyped(event.target.value)} />
      )
    default:
      return (
        <input
          {...rest}
          type="number"
          inputMode={spec.kind === 'integer' ? 'numeric' : 'decimal'}
          min={spec.minimum}
          max={spec.maximum}
          step={spec.step ?? 'any'}
          // A number, not its text: React leaves `0.010` alone for 0.01, and would write over it for `0.01`.
          value={typeof value === 'number' && !Number.isNaN(value) ? value : String(value ?? '')}
          onChange={(event) => onTyped(entered(event))}
        />
      )
  }
}

/** A number if it is one; while it is none, the browser gives the empty text. */
function entered({ target }: ChangeEvent<HTMLInputElement>): Typed {
  return target.value === '' || Number.isNaN(Number(target.value)) ? target.value : Number(target.value)
}
