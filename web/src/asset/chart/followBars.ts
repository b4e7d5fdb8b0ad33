import type { QueryClient } from '@tanstack/react-query'
import type { VivienneClient } from 'vivienne-client'
import { barsQuery } from '../../queries.ts'
import { decisionOf } from '../agent.ts'
import { barLength, mergeBars, newestClosed } from './bars.ts'

/** Between two fetches in ms, however fast a replay closes bars. */
const PAUSE = 250

/**
 * Keeps the fetched bars of an asset up to date.
 *
 * When a bar closes, only the newest ones are fetched and put behind those held. Everything is fetched when the
 * configuration changes, because indicators are those of the periods in force, and after the connection was lost.
 *
 * @returns what ends it
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

  async function catchUp(): Promise<void> {
    if (busy) return
    busy = true
    try {
      while (!ended && (await step())) await new Promise((resume) => setTimeout(resume, PAUSE))
    } catch {
      // The server is away, which the page says by itself; the next bar tries again.
    } finally {
      busy = false
    }
  }

  const endStates = client.states.subscribe(asset, () => void catchUp())
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
