import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { AssetList } from 'vivienne-client'
import { useConnection, useVivienneClient } from 'vivienne-client/react'
import { steady } from '../clock/clocks.ts'
import { useWatched } from '../parts/watching.ts'
import { assetsQuery } from '../queries.ts'

/** Number of closes a sparkline has. */
export const CLOSES = 48

/** Bars of many assets close at the same time: they are fetched together, and not more often than this. */
const SETTLE = 400
const INTERVAL = 3_000

/** Bars may have closed while nothing came. */
function isOld(query: { dataUpdatedAt: number; fetchStatus: string } | undefined): boolean {
  return query?.fetchStatus === 'idle' && Date.now() - query.dataUpdatedAt > INTERVAL
}

/** The last closes of every asset, fetched again when bars have closed and when the connection is back. */
export function useCloses(): { readonly list: AssetList | undefined; readonly error: Error | null } {
  const { states } = useVivienneClient()
  const queries = useQueryClient()
  // Nothing is fetched while nobody can see it.
  const watched = useWatched()
  const live = useConnection().state === 'live' && watched
  const { data, error } = useQuery(assetsQuery(CLOSES))

  useEffect(() => {
    if (!live) return
    const fetchAgain = () => void queries.invalidateQueries({ queryKey: assetsQuery(CLOSES).queryKey })
    const bars = new Map<string, string | null>()
    let timer: ReturnType<typeof setTimeout> | undefined
    let last = Number.NEGATIVE_INFINITY
    if (isOld(queries.getQueryState(assetsQuery(CLOSES).queryKey))) fetchAgain()
    const leave = states.subscribeAll((asset) => {
      const bar = states.get(asset)?.agents.VivienneAgent?.data.bar_time ?? null
      const before = bars.get(asset)
      bars.set(asset, bar)
      if (before === undefined || before === bar || timer !== undefined) return
      timer = setTimeout(
        () => {
          timer = undefined
          last = steady.now()
          fetchAgain()
        },
        Math.max(SETTLE, last + INTERVAL - steady.now()),
      )
    })
    return () => {
      leave()
      clearTimeout(timer)
    }
  }, [live, states, queries])

  return { list: data, error }
}
