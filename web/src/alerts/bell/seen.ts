import { useSyncExternalStore } from 'react'
import { ROOT } from '../../app/root.ts'

const KEY = `vivienne-alerts-seen${ROOT}`
const listeners = new Set<() => void>()
let own = ''

/** Time of the newest alert that was seen in this browser, ISO 8601; '' for none. */
export function seenTo(): string {
  try {
    return localStorage.getItem(KEY) ?? own
  } catch {
    return own
  }
}

/** Everything up to a moment was seen; tabs share it. */
export function setSeenTo(time: string): void {
  if (time <= seenTo()) return
  own = time
  try {
    localStorage.setItem(KEY, time)
  } catch {
    // Without storage it holds until the page is left.
  }
  for (const listener of listeners) listener()
}

export function useSeenTo(): string {
  return useSyncExternalStore(subscribe, seenTo)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}
