import { useEffect } from 'react'
import type { ConfigDraft, Typed } from 'vivienne-client/draft'

/** One field: its path, what was typed, and what was in force when that began. */
type Unsaved = readonly [path: string, typed: Typed, base: unknown]

/**
 * Puts back what was typed in this layer before the form was left, and remembers it when it is left: for another page,
 * or by a reload. It belongs to the tab, as what is typed into any page does.
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

function unsavedIn(draft: ConfigDraft): Unsaved[] {
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
    // Without storage what was typed ends with the form.
  }
}

function recall(layer: string | null): readonly Unsaved[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY + (layer ?? '')) ?? '[]')
  } catch {
    return []
  }
}
