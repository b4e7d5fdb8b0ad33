import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { record } from '../client.ts'
import type { SignalFilter } from './filter.ts'
import { useNewestBar } from './newestBar.ts'

const PAGE = 100
/** A filter that finds little looks through so many pages by itself. */
const MOST_PAGES_ALONE = 10
const FEW = 15

/** The signals that are wanted, newest first, page by page; asked for again when a bar has closed. */
export function useSignals(filter: SignalFilter) {
  const query = useInfiniteQuery({
    queryKey: ['signals', filter],
    queryFn: ({ pageParam, signal }) => record.signals({ ...filter, limit: PAGE, before: pageParam, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: 0,
    // The signals of the filter before, until those of the new one are there.
    placeholderData: keepPreviousData,
    retry: false,
  })
  const { data, refetch, hasNextPage, isFetching, fetchNextPage, error } = query
  const newest = useNewestBar()
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again because a bar has closed
  useEffect(() => {
    void refetch({ cancelRefetch: false })
  }, [newest, refetch])

  const signals = useMemo(() => data?.pages.flatMap((page) => page.decisions) ?? [], [data])
  const pages = data?.pages.length ?? 0
  const tooFew = signals.length < FEW && hasNextPage && !isFetching && pages > 0 && pages < MOST_PAGES_ALONE
  useEffect(() => {
    if (tooFew && error === null) void fetchNextPage()
  }, [tooFew, error, fetchNextPage])
  const unanswered = data?.pages[0]?.unanswered ?? []
  return { signals, unanswered, lookedBackTo: data?.pages.at(-1)?.next ?? null, ...query }
}
