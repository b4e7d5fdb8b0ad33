import { IconMinus, IconPlus } from '@tabler/icons-react'
import { type ChangeEvent, type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react'
import { type DraftField, type FieldSpec, numeral } from 'vivienne-client/draft'
import { useForm } from './FormContext.ts'
import classes from './NumberField.module.css'
import { plainNumber, stepped } from './numbers.ts'
import { besideWords, readingOf } from './reading.ts'

interface NumberFieldProps {
  spec: FieldSpec
  state: DraftField
  id: string
  describedBy: string
}

/**
 * A number as text: typed text stays exactly as it was typed. Arrow keys and buttons step by what matters for
 * the value (with Shift ten times), where it is bounded by 0 and 1 or 0 and 100 a slider goes with it.
 */
export function NumberField({ spec, state, id, describedBy }: NumberFieldProps) {
  const { draft, timeframe } = useForm()
  const { text, input, held, handlers } = useTypedText(spec, state, (typed) => draft.set(spec.path, typed))
  const number = numberIn(spec, text)
  const reading = readingOf(spec, number, timeframe)
  const beside = besideWords(text, number, reading)
  const step = spec.step ?? (spec.kind === 'integer' ? 1 : 0.01)

  const move = (steps: number) => {
    const from = number ?? (typeof state.value === 'number' ? state.value : (spec.minimum ?? 0))
    draft.set(spec.path, plainNumber(stepped(from, steps, { step, minimum: spec.minimum, maximum: spec.maximum })))
  }
  /** The value in force, written otherwise, is no change. */
  const settle = () => {
    handlers.onBlur()
    if (state.typed !== undefined && number === state.value) draft.revert(spec.path)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const steps = stepsOf(event)
    if (steps === 0) return
    event.preventDefault()
    move(steps)
  }
  return (
    <div className={classes.control}>
      <div className={classes.box} data-invalid={state.error !== null || undefined}>
        <StepButton
          name={spec.title}
          direction={-1}
          disabled={number !== null && number <= (spec.minimum ?? Number.NEGATIVE_INFINITY)}
          move={move}
        />
        <input
          {...handlers}
          ref={input}
          id={id}
          className={`${classes.input} figure`}
          type="text"
          inputMode="decimal"
          role="spinbutton"
          autoComplete="off"
          spellCheck={false}
          aria-valuenow={number ?? undefined}
          aria-valuetext={beside === null ? text : `${text}, ${beside.replace('= ', '')}`}
          aria-valuemin={spec.minimum}
          aria-valuemax={spec.maximum}
          aria-invalid={state.error !== null}
          aria-describedby={describedBy}
          onKeyDown={onKeyDown}
          onBlur={settle}
        />
        {beside !== null && (
          <span className={`${classes.reading} figure`} aria-hidden>
            {beside}
          </span>
        )}
        <StepButton
          name={spec.title}
          direction={1}
          disabled={number !== null && number >= (spec.maximum ?? Number.POSITIVE_INFINITY)}
          move={move}
        />
      </div>
      {hasSlider(spec) && (
        <input
          className={classes.slider}
          type="range"
          // A way for the pointer; the keyboard has the arrows of the field itself.
          tabIndex={-1}
          aria-hidden
          min={spec.minimum}
          max={spec.maximum}
          step={step}
          value={Math.min(spec.maximum ?? 1, Math.max(spec.minimum ?? 0, number ?? 0))}
          style={{ '--part': `${(100 * (number ?? 0)) / (spec.maximum ?? 1)}%` } as React.CSSProperties}
          onChange={(event) => draft.set(spec.path, event.currentTarget.value)}
        />
      )}
      {held && <p className={classes.held}>Changed elsewhere to {shownText(state)} while you type</p>}
    </div>
  )
}

function StepButton({
  name,
  direction,
  disabled,
  move,
}: {
  name: string
  direction: 1 | -1
  disabled: boolean
  move(steps: number): void
}) {
  const Icon = direction > 0 ? IconPlus : IconMinus
  return (
    <button
      type="button"
      className={classes.step}
      tabIndex={-1}
      disabled={disabled}
      aria-label={`${name}: one step ${direction > 0 ? 'up' : 'down'}`}
      onClick={(event) => move(event.shiftKey ? 10 * direction : direction)}
    >
      <Icon size={14} aria-hidden />
    </button>
  )
}

/** The typed text as a number; null if it is not one (yet), or may be two. */
function numberIn(spec: FieldSpec, text: string): number | null {
  const found = numeral(text, spec.unit)
  return 'value' in found ? found.value : null
}

/** Text of the field: exactly as typed, else the value in force. */
function shownText({ typed, value }: DraftField): string {
  if (typed !== undefined) return typeof typed === 'number' ? plainNumber(typed) : String(typed)
  return typeof value === 'number' ? plainNumber(value) : ''
}

function stepsOf({ key, shiftKey }: KeyboardEvent): number {
  const size = shiftKey ? 10 : 1
  if (key === 'ArrowUp') return size
  if (key === 'ArrowDown') return -size
  if (key === 'PageUp') return 10
  return key === 'PageDown' ? -10 : 0
}

function hasSlider({ minimum, maximum }: FieldSpec): boolean {
  return minimum === 0 && (maximum === 1 || maximum === 100)
}

/**
 * The text of an input that may have the focus.
 *
 * Typing the value in force ends an edit; if another value comes into force just then, the text under the caret stays
 * (`held`) until the field is left. A value that follows from elsewhere leaves the caret where it is.
 */
function useTypedText(spec: FieldSpec, state: DraftField, set: (typed: string) => void) {
  const input = useRef<HTMLInputElement>(null)
  const [last, setLast] = useState<{ text: string; over: unknown } | null>(null)
  const held =
    last !== null && state.typed === undefined && state.value !== last.over && numberIn(spec, last.text) === last.over
  const text = held ? last.text : shownText(state)
  const [first] = useState(text)

  // The input is written to by hand, because React would put the caret at its end.
  useLayoutEffect(() => {
    if (input.current !== null) write(input.current, text)
  })
  const handlers = {
    defaultValue: first,
    onChange: ({ currentTarget }: ChangeEvent<HTMLInputElement>) => {
      setLast({ text: currentTarget.value, over: state.value })
      set(currentTarget.value)
    },
    onBlur: () => setLast(null),
  }
  return { text, input, held, handlers }
}

/** Another text in an input, with the caret where it was. */
function write(input: HTMLInputElement, text: string) {
  if (input.value === text) return
  const { selectionStart, selectionEnd } = input
  input.value = text
  if (input === document.activeElement) input.setSelectionRange(selectionStart, selectionEnd)
}
