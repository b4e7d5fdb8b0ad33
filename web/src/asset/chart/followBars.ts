import type { QueryClient } from '@tanstack/react-query'
import type { VivienneClient } from 'vivienne-client'
import { barsQuery } from '../../queries.ts'
import { decisionOf } from '../agent.ts'
import { barLength, mergeBars, newestClosed, withClosed } from './bars.ts'

/** Between two fetches in ms, however fast a replay closes bars. */
const PAUSE = 250

/**
 * Keeps the fetched bars of an asset up to date.
 *
 * A bar that closes comes with a state and goes behind those held. Where one was missed, the newest bars are fetched.
 * Everything is fetched when the configuration changes, because indicators are those of the periods in force, and after
 * the connection was lost.
 *
 * @returns a function that ends it
 */
export function followBars(queries: QueryClient, client: VivienneClient, asset: string, range: number): () => void {
  const { queryKey } = barsQuery(asset, range)
  let version = client.states.get(asset)?.config_version
  let lost = false
  let tried = ''
  let busy = false
  let ended = false

  const fetchAll = () => queries.invalidateQueries({ queryKey: queryKey.slice(0, 2) })

  /** One step towards the present; whether there was one to take. */
  async function step(): Promise<boolean> {
    const state = client.states.get(asset)
    const decision = decisionOf(state)
    const held = queries.getQueryData(queryKey)
    if (state === undefined || decision === undefined) return false
    const before = version
    version = state.config_version
    if (lost || (before !== undefined && before !== version)) {
      lost = false
      await fetchAll()
      return true
    }
    const closed = newestClosed(decision)
    const last = held?.bars.at(-1)
    if (held === undefined || closed === null) return false
    const attempt = `${closed} after ${last?.time}`
    const missing = last ? Math.round((closed - Date.parse(last.time)) / barLength(held.timeframe)) : range
    if (missing === 0 || attempt === tried) return false
    tried = attempt
    if (missing < 0 || missing + 2 > range) {
      await fetchAll()
      return true
    }
    const newer = await queries.fetchQuery({ ...barsQuery(asset, missing + 2), staleTime: 0, gcTime: 0 })
    const present = queries.getQueryData(queryKey)
    if (present === undefined || (newer.bars.at(-1)?.time ?? '') < (present.bars.at(-1)?.time ?? '')) return true
    const merged = mergeBars(present.bars, newer.bars, range)
    if (merged === null) await fetchAll()
    else queries.setQueryData(queryKey, { ...newer, bars: merged })
    return true
  }

  /** Takes the bar that a state brings, if it is the next one. */
  function take(): void {
    const bar = decisionOf(client.states.get(asset))?.bar
    const held = queries.getQueryData(queryKey)
    const after = bar && held && withClosed(held, bar, range)
    if (after) queries.setQueryData(queryKey, after)
  }

  async function catchUp(): Promise<void> {
    if (busy) return
    busy = true
    try {
      while (!ended && (await step())) await new Promise((resume) => setTimeout(resume, PAUSE))
    } catch {
      // The page shows by itself that the server is away; the next bar tries again.
    } finally {
      busy = false
    }
  }

  const endStates = client.states.subscribe(asset, () => {
    take()
    void catchUp()
  })
  const endConnection = client.connection.on('connection', ({ state }) => {
    if (state === 'offline') lost = true
  })
  void catchUp()
  return () => {
    ended = true
    endStates()
    endConnection()
  }
}
