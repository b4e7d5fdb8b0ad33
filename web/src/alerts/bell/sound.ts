import { useSyncExternalStore } from 'react'

const KEY = 'vivienne-alerts-muted'
/** Two tones, in Hz, each so long in s. */
const TONES = [880, 1320]
const LENGTH = 0.14
const VOLUME = 0.2

const listeners = new Set<() => void>()
let audio: AudioContext | null = null
/** A sound was due, and the browser did not let the page play it. */
let wasBlocked = false

/** Sound of this page: `blocked` from the first one that the browser did not allow until somebody clicks or presses a key. */
export type Sound = 'on' | 'muted' | 'blocked'

export function sound(): Sound {
  if (isMuted()) return 'muted'
  return wasBlocked && !isAllowed() ? 'blocked' : 'on'
}

export function useSound(): Sound {
  return useSyncExternalStore(subscribe, sound)
}

export const BLOCKED_WORDS =
  'The browser lets a page play a sound only after a click or a key press on it. Click anywhere once.'

/** Switches the sound of all tabs off or on. */
export function setMuted(muted: boolean): void {
  try {
    localStorage.setItem(KEY, muted ? 'yes' : 'no')
  } catch {
    // Without storage there is nothing to keep it in.
  }
  told()
}

/** Rings; false if it may not: muted, or blocked by the browser. */
export function ring(): boolean {
  if (isMuted()) return false
  if (!isAllowed()) {
    wasBlocked = true
    told()
    return false
  }
  wasBlocked = false
  // Not before: a browser complains about one that is made too early.
  audio ??= new AudioContext()
  void audio.resume()
  for (const [place, tone] of TONES.entries()) play(audio, tone, audio.currentTime + place * LENGTH)
  told()
  return true
}

function play(context: AudioContext, tone: number, at: number): void {
  const source = context.createOscillator()
  const volume = context.createGain()
  source.frequency.value = tone
  // Soft at both ends, so that it does not click.
  volume.gain.setValueAtTime(0, at)
  volume.gain.linearRampToValueAtTime(VOLUME, at + 0.01)
  volume.gain.exponentialRampToValueAtTime(0.001, at + LENGTH)
  source.connect(volume).connect(context.destination)
  source.start(at)
  source.stop(at + LENGTH)
}

function isAllowed(): boolean {
  return navigator.userActivation?.hasBeenActive ?? true
}

function isMuted(): boolean {
  try {
    return localStorage.getItem(KEY) === 'yes'
  } catch {
    return false
  }
}

function told(): void {
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  window.addEventListener('pointerup', listener)
  window.addEventListener('keyup', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
    window.removeEventListener('pointerup', listener)
    window.removeEventListener('keyup', listener)
  }
}
