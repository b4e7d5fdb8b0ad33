import { useSyncExternalStore } from 'react'

/** Zone in which times are shown: that of the viewer, or UTC. */
export type Zone = 'local' | 'utc'

const KEY = 'vivienne-zone'
const listeners = new Set<() => void>()
let chosen: Zone | undefined

/** The zone chosen in this browser; the viewer's own until another one is chosen. */
export function zone(): Zone {
  chosen ??= stored()
  return chosen
}

export function setZone(value: Zone): void {
  chosen = value
  try {
    localStorage.setItem(KEY, value)
  } catch {
    // Without storage it holds until the page is left.
  }
  for (const listener of listeners) listener()
}

/** Tells when another zone is chosen, here or in another window. Returns a function that ends it. */
export function onZone(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('storage', follow)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) window.removeEventListener('storage', follow)
  }
}

/** The zone; whoever shows a time by a function of `zoned` renders again when it changes. */
export function useZone(): Zone {
  return useSyncExternalStore(onZone, zone)
}

/** Formats moments in the chosen zone. The formatters are made once for each zone. */
export function zoned(options: Intl.DateTimeFormatOptions): (time: string | number | Date) => string {
  const made: Partial<Record<Zone, Intl.DateTimeFormat>> = {}
  return (time) => {
    const now = zone()
    made[now] ??= new Intl.DateTimeFormat(undefined, now === 'utc' ? { ...options, timeZone: 'UTC' } : options)
    return made[now].format(new Date(time))
  }
}

/** Name of a zone for people: `UTC`, or that of the viewer, such as `Europe/Berlin`. */
export function zoneName(value: Zone): string {
  return value === 'utc' ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** Fields of a moment on the clock of the chosen zone. */
export function clockOf(moment: Date): { year: number; month: number; day: number; minute: number } {
  return zone() === 'utc'
    ? {
        year: moment.getUTCFullYear(),
        month: moment.getUTCMonth(),
        day: moment.getUTCDate(),
        minute: moment.getUTCHours() * 60 + moment.getUTCMinutes(),
      }
    : {
        year: moment.getFullYear(),
        month: moment.getMonth(),
        day: moment.getDate(),
        minute: moment.getHours() * 60 + moment.getMinutes(),
      }
}

function stored(): Zone {
  try {
    return localStorage.getItem(KEY) === 'utc' ? 'utc' : 'local'
  } catch {
    return 'local'
  }
}

function follow(event: StorageEvent): void {
  if (event.key !== KEY && event.key !== null) return
  chosen = undefined
  for (const listener of listeners) listener()
}
