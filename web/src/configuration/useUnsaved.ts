import { useEffect } from 'react'
import type { ConfigDraft, Typed } from 'vivienne-client/draft'

/** One edited field: its path, the typed text, and the value in force when the edit began. */
export type Unsaved = readonly [path: string, typed: Typed, base: unknown]

/**
 * Restores text typed in this layer before the form was left, and keeps it when the form is left: for another page, or
 * by a reload. The text belongs to the tab.
 */
export function useUnsaved(layer: string | null, draft: ConfigDraft): void {
  useEffect(() => {
    for (const [path, typed, base] of recall(layer)) {
      if (path in draft.getSnapshot().fields) draft.resume(path, typed, base)
    }
    const keep = () => remember(layer, unsavedIn(draft))
    window.addEventListener('pagehide', keep)
    return () => {
      window.removeEventListener('pagehide', keep)
      keep()
    }
  }, [layer, draft])
}

/** Every edit of a draft. */
export function unsavedIn(draft: ConfigDraft): Unsaved[] {
  return Object.values(draft.getSnapshot().fields).flatMap(({ path, typed, base }) =>
    typed === undefined ? [] : [[path, typed, base] as const],
  )
}

const KEY = 'vivienne-unsaved:'

function remember(layer: string | null, unsaved: readonly Unsaved[]): void {
  const key = KEY + (layer ?? '')
  try {
    if (unsaved.length === 0) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, JSON.stringify(unsaved))
  } catch {
    // Without storage typed text ends with the form.
  }
}

function recall(layer: string | null): readonly Unsaved[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY + (layer ?? '')) ?? '[]')
  } catch {
    return []
  }
}
