import { useSyncExternalStore } from 'react'
import type { AlertRule } from 'vivienne-client'
import type { Draft } from './draft.ts'

/** What was typed into a form. */
export interface Typed {
  readonly draft: Draft
  /** The rule as it was when the typing began; null for a new one. */
  readonly rule: AlertRule | null
}

/** In place of the id of a rule, for a new one. */
export const NEW = 'new'

/**
 * What was typed into forms and is not saved, by rule, also while another page is shown. It is kept in the memory of the page alone:
 * there may be secrets in it. So a reload would lose it, and the browser asks before.
 */
const kept = new Map<string, Typed>()
let ids: ReadonlySet<string> = new Set()
const listeners = new Set<() => void>()

export function typedBefore(id: string): Typed | undefined {
  return kept.get(id)
}

export function keepTyped(id: string, typed: Typed): void {
  kept.set(id, typed)
  if (!ids.has(id)) tell()
}

export function forgetTyped(id: string): void {
  if (kept.delete(id)) tell()
}

/** The rules into whose forms something was typed that is not saved. */
export function useUnsavedRules(): ReadonlySet<string> {
  return useSyncExternalStore(listen, () => ids)
}

function listen(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function tell(): void {
  ids = new Set(kept.keys())
  if (ids.size > 0) addEventListener('beforeunload', ask)
  else removeEventListener('beforeunload', ask)
  for (const listener of listeners) listener()
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault()
}
