import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Chart, FormingBar } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { ticks } from '../../parts/ticks.ts'
import { barsQuery } from '../../queries.ts'
import { decisionOf } from '../agent.ts'
import type { Look } from './address.ts'
import { openAfter, withForming } from './bars.ts'
import { followBars } from './followBars.ts'
import { looked } from './look.ts'
import type { PriceChart } from './PriceChart.ts'

/** The last bars of an asset, kept up to date while somebody looks at them. */
export function useFollowedBars(asset: string, count: number, seen: boolean) {
  const queries = useQueryClient()
  const client = useVivienneClient()
  const left = useRef(false)
  useEffect(() => {
    if (!seen) return
    // Nothing was followed while nobody looked.
    if (left.current) void queries.invalidateQueries({ queryKey: barsQuery(asset, count).queryKey })
    const leave = followBars(queries, client, asset, count)
    return () => {
      left.current = true
      leave()
    }
  }, [queries, client, asset, count, seen])
  return useQuery({
    ...barsQuery(asset, count),
    enabled: seen,
    // What was fetched at an earlier visit is shown, and fetched again.
    refetchOnMount: 'always',
    placeholderData: (before: Chart | undefined) => before,
  })
}

/**
 * Draws the fetched bars, and moves the open bar with every price, without rendering React.
 *
 * @param look a longer timeframe to draw them in; null for the decided one
 * @param live true if the newest bars are among them; otherwise there is no open bar
 */
export function useDrawnBars(
  chart: PriceChart | null,
  asset: string,
  data: Chart | undefined,
  look: Look | null,
  live: boolean,
): void {
  const client = useVivienneClient()
  const open = useRef<readonly FormingBar[]>([])
  const newest = useRef<number | null>(null)
  useEffect(() => {
    if (chart === null || data === undefined) return
    const last = data.bars.at(-1)
    const lastClosed = last === undefined ? null : Date.parse(last.time)
    // After a restart of the server the market starts again, and the bars that were open do not belong to it.
    if (lastClosed === null || lastClosed < (newest.current ?? 0)) open.current = []
    newest.current = lastClosed
    open.current = live ? withForming(open.current, data.forming, lastClosed) : []
    const drawn = () =>
      look === null ? { bars: data.bars, open: open.current } : looked(data.bars, open.current, data.timeframe, look)
    const { bars, open: opened } = drawn()
    chart.setBars(bars, opened, ticks.digits(asset), live)
    const follow = () => {
      const decision = decisionOf(client.states.get(asset))
      if (decision === undefined) return
      chart.formatPrices(ticks.digits(asset))
      const next = openAfter(open.current, decision, lastClosed)
      if (next === open.current) return
      open.current = next
      chart.setOpen(look === null ? next : drawn().open)
    }
    if (!live) return
    follow()
    return client.states.subscribe(asset, follow)
  }, [chart, client, asset, data, look, live])
}
