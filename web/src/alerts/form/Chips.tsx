import classes from './Chips.module.css'

export interface Chip<T extends string> {
  readonly value: T
  readonly label: string
  readonly title?: string
  /** Title of the chips that it stands with; those of a group follow each other. */
  readonly group?: string
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
      {groupsOf(chips).map(({ title, members }) => (
        <div key={title} className={classes.group}>
          {title !== '' && <span className={classes.title}>{title}</span>}
          <div className={classes.all}>
            {members.map(({ value, label: word, title: meaning }) => (
              <button
                key={value}
                type="button"
                className={classes.chip}
                aria-pressed={chosen.includes(value)}
                title={meaning}
                onClick={() => toggle(value)}
              >
                {word}
              </button>
            ))}
          </div>
        </div>
      ))}
      {error !== undefined && (
        <p className={classes.error} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  )
}

/** The chips by the titles above them, in their order. */
function groupsOf<T extends string>(chips: readonly Chip<T>[]) {
  const titles = [...new Set(chips.map(({ group = '' }) => group))]
  return titles.map((title) => ({ title, members: chips.filter(({ group = '' }) => group === title) }))
}
