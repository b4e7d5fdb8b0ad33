import { useSyncExternalStore } from 'react'

/** Action of a key. */
export type KeyAction = 'help' | 'filter' | { readonly to: string } | { readonly pause: string } | null

const AFTER_G: Readonly<Record<string, string>> = { o: '/', c: '/configuration', h: '/history', l: '/logs' }

/** Scope of the pause: all assets, or the one of this page. */
const AFTER_P = ['a', 't']

/** One key, after `waiting` (the beginning of a sequence); what to do now, and what to wait for. */
export function keyStep(waiting: string | null, key: string): { action: KeyAction; waiting: string | null } {
  const to = waiting === 'g' ? AFTER_G[key] : undefined
  if (to !== undefined) return { action: { to }, waiting: null }
  if (waiting === 'p' && AFTER_P.includes(key)) return { action: { pause: key }, waiting: null }
  if (key === 'g' || key === 'p') return { action: null, waiting: key }
  if (key === '/') return { action: 'filter', waiting: null }
  if (key === '?') return { action: 'help', waiting: null }
  return { action: null, waiting: key === 'Shift' ? waiting : null }
}

const KEY = 'vivienne-shortcuts'
const listeners = new Set<() => void>()
let on: boolean | undefined

/** True if single-key shortcuts are on; people who dictate can switch them off. */
export function shortcutsOn(): boolean {
  if (on === undefined) {
    try {
      on = localStorage.getItem(KEY) !== 'off'
    } catch {
      on = true
    }
  }
  return on
}

export function setShortcutsOn(value: boolean): void {
  on = value
  try {
    localStorage.setItem(KEY, value ? 'on' : 'off')
  } catch {
    // Without storage it holds until the page is left.
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useShortcutsOn(): boolean {
  return useSyncExternalStore(subscribe, shortcutsOn)
}
