import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useRef, useState } from 'react'
import { type AlertChanged, type AlertRule, type ProblemEntry, VivienneProblem } from 'vivienne-client'
import { alerts } from '../../client.ts'
import { useConnected } from '../../configuration/useConnected.ts'
import { useWhyNot } from '../../signin/roles.ts'
import { type Draft, documentOf } from './draft.ts'

export interface Saving {
  readonly save: (event: FormEvent) => void
  readonly isSaving: boolean
  readonly error: Error | null
  readonly reason: string
  setReason(reason: string): void
}

/** Sends the rule; what is wrong with it is said at its fields, and what is typed stays. */
export function useSaving(
  rule: AlertRule | null,
  draft: Draft,
  refuse: (problems: readonly ProblemEntry[]) => void,
  onSaved: (changed: AlertChanged) => void,
): Saving {
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const [isSaving, setSaving] = useState(false)
  const [error, setError] = useState<Error | null>(null)
  // A repetition of a request without an answer is made once.
  const request = useRef<{ document: string; id: string } | null>(null)
  const whyNot = useWhyNot('tuner')
  const isConnected = useConnected()
  const send = async () => {
    const document = documentOf(draft)
    const text = JSON.stringify(document)
    if (request.current?.document !== text) request.current = { document: text, id: randomId() }
    const signature = { requestId: request.current.id, ...(reason.trim() !== '' && { reason: reason.trim() }) }
    setSaving(true)
    setError(null)
    try {
      const changed = await (rule === null
        ? alerts.make(document, signature)
        : alerts.replace(rule.alert_id, document, { ...signature, expectedVersion: rule.version }))
      await queries.invalidateQueries({ queryKey: ['alerts'] })
      onSaved(changed)
    } catch (thrown) {
      const failed = thrown instanceof Error ? thrown : new Error(String(thrown))
      if (failed instanceof VivienneProblem) request.current = null
      refuse(failed instanceof VivienneProblem ? failed.errors : [])
      setError(failed)
    } finally {
      setSaving(false)
    }
  }
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (!isSaving && whyNot === null && isConnected) void send()
  }
  return { save, isSaving, error, reason, setReason }
}

function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
