import type { AssetData } from 'vivienne-client'
import { useAssets, useConnection, useVivienneClient } from 'vivienne-client/react'
import { arrivals } from '../clock/clocks.ts'
import { useServerNow } from '../clock/useNow.ts'
import { dataTime } from '../parts/dataTime.ts'

/** Data below this age, in ms, is of now. States of a quiet market come less often than once a second. */
export const JUST = 5_000
/** Age, in ms, beyond which data of which the server gives no limit is old. */
const OLD = 15_000

/** How current the numbers of the page are. */
export interface Freshness {
  /** Age of the newest market data of any asset, in ms by the clock of the server; null before there is any. */
  readonly age: number | null
  /** Time that the newest state took to arrive, in ms. */
  readonly delay: number
  /** A replay, of all assets, is over. */
  readonly ended: boolean
  /** So old that the server itself would call it stale. */
  readonly old: boolean
  /** The server says of every asset that its data cannot be relied on. */
  readonly troubled: boolean
}

/**
 * @param now - time by the clock of the server, in ms; null before it is known
 * @param delay - time the newest state took to arrive, in ms; null before it is known
 */
export function freshnessOf(states: readonly AssetData[], now: number | null, delay: number | null): Freshness {
  const moving = states.filter(({ agents }) => agents.VivienneAgent?.data.status !== 'ended')
  let [newest, limit] = [Number.NEGATIVE_INFINITY, OLD]
  for (const state of moving) {
    const time = dataTime(state)
    if (time === null || time < newest) continue
    newest = time
    limit = Math.max(OLD, (state.agents.VivienneAgent?.data.data_age_limit ?? 0) * 1000)
  }
  const age = now === null || newest === Number.NEGATIVE_INFINITY ? null : Math.max(0, now - newest)
  return {
    age,
    delay: delay ?? 0,
    ended: states.length > 0 && moving.length === 0,
    old: age !== null && age > limit,
    troubled: moving.length > 0 && moving.every(({ agents }) => (agents.VivienneAgent?.data.trouble ?? null) !== null),
  }
}

/** How current the page is, once a second. */
export function useFreshness(): Freshness {
  const { states } = useVivienneClient()
  const now = useServerNow()
  useConnection()
  const all = useAssets().flatMap((asset) => states.get(asset) ?? [])
  return freshnessOf(all, now, arrivals.delay)
}
