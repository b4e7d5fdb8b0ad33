import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { DeliveryEntry } from 'vivienne-client'
import { alerts } from '../../client.ts'

const PAGE = 50
/** How often new ones are asked for, in ms; more often while some are under way. */
const EVERY = 5_000
const EVERY_UNDER_WAY = 2_000

/** Which deliveries. */
export interface DeliveryFilter {
  readonly alert_id?: string
  readonly status?: DeliveryEntry['status']
}

/** Deliveries, newest first, page by page; those that come and change are asked for again and again. */
export function useDeliveries(filter: DeliveryFilter) {
  const query = useInfiniteQuery({
    queryKey: ['deliveries', filter],
    queryFn: async ({ pageParam, signal }) => ({
      ...(await alerts.deliveries({ ...filter, limit: PAGE, before: pageParam, signal })),
      of: JSON.stringify(filter),
    }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    staleTime: 0,
    retry: false,
    refetchInterval: ({ state }) =>
      state.data?.pages[0]?.deliveries.some(({ status }) => status === 'waiting' || status === 'retrying')
        ? EVERY_UNDER_WAY
        : EVERY,
  })
  const { data } = query
  const deliveries = useMemo(() => data?.pages.flatMap((page) => page.deliveries) ?? [], [data])
  return { ...query, deliveries, of: data?.pages[0]?.of ?? '' }
}
