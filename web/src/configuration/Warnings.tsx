import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import type { WarningEntry } from 'vivienne-client'
import classes from './Warnings.module.css'

interface WarningsProps {
  warnings: readonly WarningEntry[]
  accepted: boolean
  onAccept(accepted: boolean): void
}

/** Values that are valid and rarely meant, with a box to tick before the change can be saved. */
export function Warnings({ warnings, accepted, onAccept }: WarningsProps) {
  if (warnings.length === 0) return null
  return (
    <section className={classes.warnings} aria-label="Warnings">
      <ul>
        {warnings.map(({ id, message }) => (
          <li key={`${id} ${message}`}>{message}</li>
        ))}
      </ul>
      <Checkbox
        label={warnings.length === 1 ? 'I mean this value' : 'I mean these values'}
        checked={accepted}
        onChange={(event) => onAccept(event.currentTarget.checked)}
      />
    </section>
  )
}

/** Whether these warnings are accepted. Other warnings must be accepted again. */
export function useAccepted(warnings: readonly WarningEntry[]): [boolean, (accepted: boolean) => void] {
  const [accepted, setAccepted] = useState('')
  const asked = warnings.map(({ message }) => message).join('\n')
  return [asked === accepted, (accept) => setAccepted(accept ? asked : '')]
}
