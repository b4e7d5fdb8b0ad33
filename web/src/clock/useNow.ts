import { useSyncExternalStore } from 'react'
import { serverClock, steady } from './clocks.ts'

/** One timer for every age on the page; it runs only while one is shown. */
let now = { own: steady.now(), server: serverClock.now() }
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()

function look(): void {
  now = { own: steady.now(), server: serverClock.now() }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) {
    look()
    timer = setInterval(() => {
      look()
      for (const each of listeners) each()
    }, 1000)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** The steady clock of the page, in ms, once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now.own)
}

/** Time by the clock of the server, in ms since the epoch, once a second; null before it is known. */
export function useServerNow(): number | null {
  return useSyncExternalStore(subscribe, knownServerTime)
}

/** The first message tells it; nobody should have to wait for the next second. */
function knownServerTime(): number | null {
  if (now.server === null) now.server = serverClock.now()
  return now.server
}
