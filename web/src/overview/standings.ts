import { useSyncExternalStore } from 'react'
import type { StateStore } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { type Standing, sameStanding, standingOf } from './standing.ts'

/** The order of the list follows the market at this pace; levels themselves are shown at once. */
const INTERVAL = 250

/** The standings of all assets. Prices do not change them, so most messages change nothing here. */
class Standings {
  readonly #states: StateStore
  readonly #known = new Map<string, Standing>()
  readonly #listeners = new Set<() => void>()
  #all: readonly Standing[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #leave: (() => void) | undefined

  constructor(states: StateStore) {
    this.#states = states
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#leave === undefined) {
      this.#leave = this.#states.subscribeAll((asset) => {
        if (this.#take(asset)) this.#timer ??= setTimeout(() => this.#publish(), INTERVAL)
      })
      const changes = this.#states.assets().filter((asset) => this.#take(asset))
      if (changes.length > 0) this.#gather()
    }
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#leave?.()
      this.#leave = undefined
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  readonly getSnapshot = (): readonly Standing[] => this.#all

  #take(asset: string): boolean {
    const state = this.#states.get(asset)
    const standing = state && standingOf(state)
    if (standing === undefined || sameStanding(this.#known.get(asset), standing)) return false
    this.#known.set(asset, standing)
    return true
  }

  #publish(): void {
    this.#timer = undefined
    this.#gather()
    for (const listener of this.#listeners) listener()
  }

  #gather(): void {
    this.#all = [...this.#known.values()]
  }
}

const made = new WeakMap<StateStore, Standings>()

/** Standings of all assets, in the order of their arrival; the same list until one changes. */
export function useStandings(): readonly Standing[] {
  const { states } = useVivienneClient()
  let standings = made.get(states)
  if (standings === undefined) {
    standings = new Standings(states)
    made.set(states, standings)
  }
  return useSyncExternalStore(standings.subscribe, standings.getSnapshot)
}
