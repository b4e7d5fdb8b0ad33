import { useSyncExternalStore } from 'react'
import type { StateStore } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { firing, isFiring, type Standing, sameStanding, standingOf } from './standing.ts'

/** The order of the list follows the market at this pace; levels themselves are shown at once. */
const INTERVAL = 250

/** The standings of all assets. Prices do not change them, so most messages change nothing here. */
export class Standings {
  readonly #states: StateStore
  readonly #known = new Map<string, Standing>()
  readonly #listeners = new Set<() => void>()
  #all: readonly Standing[] = []
  #firing: readonly Standing[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #leave: (() => void) | undefined

  constructor(states: StateStore) {
    this.#states = states
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#leave === undefined) {
      this.#leave = this.#states.subscribeAll((asset) => this.#receive(asset))
      for (const asset of this.#states.assets()) this.#take(asset)
      this.#gather()
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

  /** Those at aim or bang: never behind a level that is shown elsewhere on the page. */
  readonly getFiring = (): readonly Standing[] => this.#firing

  #receive(asset: string): void {
    const before = this.#known.get(asset)
    if (!this.#take(asset)) return
    this.#timer ??= setTimeout(() => this.#publish(), INTERVAL)
    if ([before, this.#known.get(asset)].some((one) => one !== undefined && isFiring(one))) {
      this.#firing = firing([...this.#known.values()])
      this.#tell()
    }
  }

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
    this.#tell()
  }

  #gather(): void {
    this.#all = [...this.#known.values()]
    this.#firing = firing(this.#all)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

const made = new WeakMap<StateStore, Standings>()

function useShared(): Standings {
  const { states } = useVivienneClient()
  let standings = made.get(states)
  if (standings === undefined) {
    standings = new Standings(states)
    made.set(states, standings)
  }
  return standings
}

/** Standings of all assets, in the order of their arrival; the same list until one changes. */
export function useStandings(): readonly Standing[] {
  const standings = useShared()
  return useSyncExternalStore(standings.subscribe, standings.getSnapshot)
}

/** The assets at aim or bang, at once. */
export function useFiring(): readonly Standing[] {
  const standings = useShared()
  return useSyncExternalStore(standings.subscribe, standings.getFiring)
}
