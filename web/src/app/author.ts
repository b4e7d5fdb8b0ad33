import { useSyncExternalStore } from 'react'

const KEY = 'vivienne-author'
const listeners = new Set<() => void>()

/** The name that goes into the history with a change made here; empty when none was given. */
export function authorName(): string {
  try {
    return localStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}

/** Remember the name in this browser. */
export function setAuthorName(name: string): void {
  try {
    localStorage.setItem(KEY, name.trim())
  } catch {
    // Without storage the name is asked for again; a change goes out without one.
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useAuthorName(): string {
  return useSyncExternalStore(subscribe, authorName)
}
