import { useCallback, useState } from 'react'

const KEY = 'vivienne-closed-sections'
/** Sections that are rarely tuned; closed until they are opened once. */
const CLOSED_AT_FIRST = ['signals', 'indicators']

function remembered(): ReadonlySet<string> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    return new Set(Array.isArray(stored) ? stored.map(String) : CLOSED_AT_FIRST)
  } catch {
    return new Set(CLOSED_AT_FIRST)
  }
}

/** Which sections of the form are closed, by path; remembered in this browser. */
export function useClosedSections(): {
  closed: ReadonlySet<string>
  set(paths: readonly string[], open: boolean): void
} {
  const [closed, setClosed] = useState(remembered)
  const set = useCallback((paths: readonly string[], open: boolean) => {
    setClosed((before) => {
      const after = new Set(before)
      for (const path of paths) open ? after.delete(path) : after.add(path)
      try {
        localStorage.setItem(KEY, JSON.stringify([...after]))
      } catch {
        // Without storage they are as at first next time.
      }
      return after
    })
  }, [])
  return { closed, set }
}
