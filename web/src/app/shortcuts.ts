import { useSyncExternalStore } from 'react'

/** Action of a key. `arm`: a pause that the same key confirms. */
export type KeyAction =
  | 'help'
  | 'filter'
  | { readonly to: string }
  | { readonly arm: string }
  | { readonly pause: string }
  | null

const AFTER_G: Readonly<Record<string, string>> = {
  o: '/',
  g: '/charts',
  s: '/signals',
  u: '/signals/setups',
  e: '/signals/account',
  a: '/alerts',
  c: '/configuration',
  h: '/history',
  l: '/logs',
}

/** Scope of the pause: all assets, or the one of this page. */
const AFTER_P = ['a', 't']

/** Time for the second key of a sequence, in ms. */
const SEQUENCE_MS = 1_500
/** Time to confirm a pause, in ms: two letters may be typed by accident. */
export const CONFIRM_MS = 3_000
/** Holding the key for so long confirms, too, in ms. */
const HOLD_MS = 1_000

/** A key that was pressed, at a time in ms; `repeat` while it is held. */
export type Press = Pick<KeyboardEvent, 'key' | 'timeStamp' | 'repeat'>

/** Beginning of a sequence, and when it was pressed. */
export interface Begun {
  readonly keys: string
  readonly at: number
}

/** One key, after the beginning of a sequence; what to do now, and what has begun. */
export function keyStep(
  before: Begun | null,
  { key, timeStamp: at, repeat }: Press,
): {
  action: KeyAction
  begun: Begun | null
} {
  const limit = before?.keys.length === 2 ? CONFIRM_MS : SEQUENCE_MS
  const begun = before !== null && at - before.at < limit ? before : null
  const armed = begun?.keys.length === 2 && begun.keys[1] === key
  if (repeat && !armed) return { action: null, begun }
  if (armed) {
    const confirmed = !repeat || at - begun.at >= HOLD_MS
    return confirmed ? { action: { pause: key }, begun: null } : { action: null, begun }
  }
  const to = begun?.keys === 'g' ? AFTER_G[key] : undefined
  if (to !== undefined) return { action: { to }, begun: null }
  if (begun?.keys === 'p' && AFTER_P.includes(key)) return { action: { arm: key }, begun: { keys: `p${key}`, at } }
  if (key === 'g' || key === 'p') return { action: null, begun: { keys: key, at } }
  if (key === '/') return { action: 'filter', begun: null }
  if (key === '?') return { action: 'help', begun: null }
  return { action: null, begun: key === 'Shift' ? begun : null }
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
