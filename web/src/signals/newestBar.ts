import { useSyncExternalStore } from 'react'
import type { StateStore } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { decisionOf } from '../asset/agent.ts'

/**
 * The newest bar that was decided, of each asset and of all of them.
 *
 * A simulation or replay that was started again begins at an earlier time: its bars are a new run, and nothing of the run before
 * counts any longer, neither its newest bar nor assets of which no state has come since.
 */
export class NewestBars {
  /** Number of runs before this one that the page has seen. */
  run = 0
  /** When the newest bar of any asset opened; '' before there is one. */
  newest = ''
  readonly #bars = new Map<string, string>()

  receive(asset: string, time: string): void {
    if (time === '') return
    if (time < this.of(asset)) {
      this.run += 1
      this.newest = ''
      this.#bars.clear()
    }
    this.#bars.set(asset, time)
    if (time > this.newest) this.newest = time
  }

  /** When the newest bar of an asset opened; '' before there is one. */
  of(asset: string): string {
    return this.#bars.get(asset) ?? ''
  }
}

/** One for all readers of the states of a client, which are followed from the first of them on. */
const followed = new WeakMap<StateStore, NewestBars>()

function barsOf(states: StateStore): NewestBars {
  const known = followed.get(states)
  if (known !== undefined) return known
  const bars = new NewestBars()
  const receive = (asset: string) => bars.receive(asset, decisionOf(states.get(asset))?.bar_time ?? '')
  for (const asset of states.assets()) receive(asset)
  states.subscribeAll(receive)
  followed.set(states, bars)
  return bars
}

function useBars<T>(select: (bars: NewestBars) => T): T {
  const { states } = useVivienneClient()
  // Before the reader subscribes, so that it is told of a state that has been received here.
  const bars = barsOf(states)
  return useSyncExternalStore(
    (listener) => states.subscribeAll(listener),
    () => select(bars),
  )
}

/** When the newest bar opened that was decided, of any asset; '' before there is one. */
export function useNewestBar(): string {
  return useBars(({ newest }) => newest)
}

/** When the newest bar of each asset opened, in the order of the assets; '' for one that has none. */
export function useNewestBars(assets: readonly string[]): readonly string[] {
  return useBars((bars) => assets.map((asset) => bars.of(asset)).join()).split(',')
}

/** Tells one run of the market from another, see `NewestBars`. */
export function useRun(): number {
  return useBars(({ run }) => run)
}

/** The decided timeframe, such as `15m`; '' before it is known. It is that of all assets. */
export function useTimeframe(): string {
  const { states } = useVivienneClient()
  return useSyncExternalStore(
    (listener) => states.subscribeAll(listener),
    () => {
      const [first] = states.assets()
      return first === undefined ? '' : (decisionOf(states.get(first))?.timeframe ?? '')
    },
  )
}
