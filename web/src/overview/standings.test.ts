import { expect, test } from 'vitest'
import type { AssetData, StateStore } from 'vivienne-client'
import { Standings } from './standings.ts'

/** What `Standings` asks of the states: those received so far, and who wants to know. */
class Received {
  readonly #states = new Map<string, AssetData>()
  #listener: ((asset: string) => void) | undefined

  receive(asset: string, level: string): void {
    const data = {
      asset,
      clarity_level: level,
      raw_clarity_level: level,
      blocked_by: [],
      signal_confidence: 0,
      status: 'live',
    }
    const config = { settings: { state_threshold_loaded: 50, state_threshold_aim: 65, state_threshold_bang: 80 } }
    this.#states.set(asset, {
      asset,
      config_version: 1,
      agents: { VivienneAgent: { data, config } },
    } as unknown as AssetData)
    this.#listener?.(asset)
  }

  get(asset: string): AssetData | undefined {
    return this.#states.get(asset)
  }

  assets(): string[] {
    return [...this.#states.keys()]
  }

  subscribeAll(listener: (asset: string) => void): () => void {
    this.#listener = listener
    return () => {}
  }
}

test('what fires is said with the very message that says so, and no longer than it does', () => {
  const received = new Received()
  const standings = new Standings(received as unknown as StateStore)
  const said: string[][] = []
  const leave = standings.subscribe(() =>
    said.push(standings.getFiring().map(({ asset, level }) => `${asset} ${level}`)),
  )
  received.receive('BTC', 'idle')
  received.receive('BTC', 'aim')
  received.receive('ETH', 'bang')
  received.receive('BTC', 'loaded')
  expect(said).toEqual([['BTC aim'], ['ETH bang', 'BTC aim'], ['ETH bang']])
  leave()
})
