import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { isMasked } from './draft.ts'
import classes from './SecretField.module.css'

interface SecretFieldProps {
  label: string
  /** In the place of a visible label, in a row of fields. */
  hidden?: boolean
  description?: string
  placeholder?: string
  value: string
  error?: string | undefined
  onChange(value: string): void
}

/** A value that the server keeps and does not show: it stays as it is unless another one is typed. */
export function SecretField({ label, hidden = false, description, value, onChange, ...rest }: SecretFieldProps) {
  const [kept, setKept] = useState(isMasked(value) ? value : null)
  if (kept !== null && value === kept) {
    return (
      <div className={classes.kept}>
        {!hidden && <span className={classes.label}>{label}</span>}
        <span className={classes.row}>
          <code>{value}</code>
          <Button size="compact-xs" variant="default" aria-label={`Replace ${label}`} onClick={() => onChange('')}>
            Replace
          </Button>
        </span>
        {rest.error !== undefined && (
          <span className={classes.error} role="alert">
            {rest.error}
          </span>
        )}
      </div>
    )
  }
  return (
    <TextInput
      {...(hidden ? { 'aria-label': label } : { label, description })}
      size="xs"
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      autoFocus={kept !== null}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      rightSectionWidth={56}
      rightSection={
        kept !== null && (
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={`Keep the present ${label}`}
            onClick={() => {
              setKept(kept)
              onChange(kept)
            }}
          >
            Keep
          </Button>
        )
      }
      {...rest}
    />
  )
}
