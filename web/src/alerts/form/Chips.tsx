import classes from './Chips.module.css'

export interface Chip<T extends string> {
  readonly value: T
  readonly label: string
  readonly title?: string
}

interface ChipsProps<T extends string> {
  label: string
  chips: readonly Chip<T>[]
  chosen: readonly string[]
  onChange(chosen: T[]): void
  description?: string
  error?: string | undefined
}

/** A choice of several of a few words; each is a button that stays pressed. They keep their order. */
export function Chips<T extends string>({ label, chips, chosen, onChange, description, error }: ChipsProps<T>) {
  const toggle = (value: T) =>
    onChange(
      chips
        .map((chip) => chip.value)
        .filter((each) => (each === value ? !chosen.includes(value) : chosen.includes(each))),
    )
  return (
    <fieldset className={classes.chips}>
      <legend>{label}</legend>
      {description !== undefined && <p className={classes.description}>{description}</p>}
      <div className={classes.all}>
        {chips.map(({ value, label: word, title }) => (
          <button
            key={value}
            type="button"
            className={classes.chip}
            aria-pressed={chosen.includes(value)}
            title={title}
            onClick={() => toggle(value)}
          >
            {word}
          </button>
        ))}
      </div>
      {error !== undefined && (
        <p className={classes.error} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  )
}
