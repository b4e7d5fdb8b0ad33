import { queryOptions } from '@tanstack/react-query'
import { alerts, client, record } from './client.ts'
import { ticks } from './parts/ticks.ts'

const ALERTS_MS = 15_000
/** While messages do not arrive: what is done about it is seen soon. */
const ALERTS_FAILING_MS = 4_000

/** REST queries of the page: key, call and freshness. */

/** The last closes of every asset, for the overview. */
export function assetsQuery(closes: number) {
  return queryOptions({
    queryKey: ['assets', closes],
    queryFn: async ({ signal }) => {
      const list = await client.rest.assets(closes, signal)
      for (const { asset, closes, tick_size } of list.assets) {
        ticks.know(asset, tick_size)
        ticks.learn(asset, closes)
      }
      return list
    },
    staleTime: 60_000,
  })
}

/** Bars, indicators, decisions and changes of one asset, for the chart. */
export function barsQuery(asset: string, limit: number) {
  return queryOptions({
    queryKey: ['bars', asset, limit],
    queryFn: async ({ signal }) => {
      const chart = await client.rest.bars(asset, limit, signal)
      ticks.learn(
        asset,
        chart.bars.flatMap(({ open, high, low, close }) => [open, high, low, close]),
      )
      return chart
    },
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** What is known of a bar: the decision on it as it was made, with its explanation, or why there is none. */
export function barQuery(asset: string, time: string) {
  return queryOptions({
    queryKey: ['bar', asset, time],
    queryFn: ({ signal }) => record.bar(asset, time, signal),
    staleTime: 60_000,
    retry: false,
  })
}

/** Everything that was changed in a layer (null: the global one; undefined: any), newest first. */
export function historyQuery(asset: string | null | undefined, limit: number, before?: number) {
  return queryOptions({
    queryKey: ['history', asset, limit, before ?? null],
    queryFn: ({ signal }) =>
      client.rest.history({
        limit,
        signal,
        ...(asset === undefined ? {} : { asset }),
        ...(before === undefined ? {} : { before }),
      }),
  })
}

/** Every pause in force: of which assets, by whom, why. Asked for again when the states say that it is another one. */
export function pausesQuery() {
  return queryOptions({
    queryKey: ['pauses'],
    queryFn: ({ signal }) => client.rest.pauses(signal),
    staleTime: Number.POSITIVE_INFINITY,
    // `useKeptPauses` repeats the request.
    retry: false,
  })
}

/** Every rule of alerts. Asked for again now and then: others change them, and they fire. */
export function alertsQuery() {
  return queryOptions({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => alerts.list(signal),
    refetchInterval: ({ state }) =>
      state.data?.alerts.some(({ undelivered }) => undelivered.length > 0) ? ALERTS_FAILING_MS : ALERTS_MS,
  })
}
