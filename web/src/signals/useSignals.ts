import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { record } from '../client.ts'
import { isNotRecorded } from '../parts/failure.ts'
import type { SignalFilter } from './filter.ts'
import { useNewestBar, useRun } from './newestBar.ts'

const PAGE = 100
/** A filter that finds little looks through so many pages by itself. */
const MOST_PAGES_ALONE = 10
const FEW = 15

/** The signals that are wanted, newest first, page by page; asked for again when a bar has closed. */
export function useSignals(filter: SignalFilter) {
  const run = useRun()
  const query = useInfiniteQuery({
    queryKey: ['signals', run, filter],
    queryFn: async ({ pageParam, signal }) => ({
      ...(await record.signals({ ...filter, limit: PAGE, before: pageParam, signal })),
      // Tells which list it belongs to: the one before is shown until this one is there.
      of: JSON.stringify([run, filter]),
    }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: 0,
    // The signals of the filter before, until those of the new one are there.
    placeholderData: keepPreviousData,
    retry: false,
  })
  const { data, refetch, hasNextPage, isFetching, fetchNextPage, error } = query
  const newest = useNewestBar()
  const isRecorded = !isNotRecorded(error)
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again because a bar has closed
  useEffect(() => {
    if (isRecorded) void refetch({ cancelRefetch: false })
  }, [newest, refetch, isRecorded])

  const signals = useMemo(() => data?.pages.flatMap((page) => page.decisions) ?? [], [data])
  const pages = data?.pages.length ?? 0
  const tooFew = signals.length < FEW && hasNextPage && !isFetching && pages > 0 && pages < MOST_PAGES_ALONE
  useEffect(() => {
    if (tooFew && error === null) void fetchNextPage()
  }, [tooFew, error, fetchNextPage])

  /** Loads older signals than one, of which a page may have none: newer ones may have come in between. */
  const loadOlder = async (time: number) => {
    for (let page = 0; page < MOST_PAGES_ALONE; page++) {
      const { data: loaded, hasNextPage: hasMore, isError } = await fetchNextPage()
      const oldest = loaded?.pages.at(-1)?.decisions.at(-1)
      if (isError || !hasMore || (oldest !== undefined && Date.parse(oldest.time) < time)) return
    }
  }

  const { unanswered = [], of = '' } = data?.pages[0] ?? {}
  return { signals, loadOlder, unanswered, of, lookedBackTo: data?.pages.at(-1)?.next ?? null, ...query }
}
