import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { PauseEntry } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import classes from './PauseBanner.module.css'
import { pauseNow, useSwitching } from './switching.ts'

/**
 * Stopping comes first; who stopped it here can say why afterwards. That pauses again, with the reason, so it is not
 * offered for what somebody else did.
 */
export function Reason({ pause }: { pause: PauseEntry }) {
  const client = useVivienneClient()
  const queries = useQueryClient()
  const { made, attempts } = useSwitching()
  const [typed, setTyped] = useState<string | null>(null)
  if (pause.reason !== null || !made.has(pause.config_id)) return null
  if (typed === null) {
    return (
      <button type="button" className={classes.link} onClick={() => setTyped('')}>
        Add a reason
      </button>
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (typed.trim() === '') setTyped(null)
    else void pauseNow(client, queries, pause.asset_symbol, typed.trim())
  }
  return (
    <form className={classes.why} onSubmit={submit}>
      <input
        aria-label="Reason for the pause"
        placeholder="Reason, for the history"
        maxLength={500}
        // biome-ignore lint/a11y/noAutofocus: it was asked for
        autoFocus
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && setTyped(null)}
      />
      <button type="submit" className={classes.button} disabled={attempts.get(pause.asset_symbol)?.pending}>
        Keep it
      </button>
    </form>
  )
}
