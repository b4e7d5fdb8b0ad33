import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import type { VivienneClient } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import type { RevisionFilter } from './filter.ts'

const PAGE = 50
/** A filter that finds little looks through so many pages by itself. */
const MOST_PAGES_ALONE = 10
const FEW = 10

/** The changes that are wanted, newest first, page by page; loaded again when there is another one. */
export function useRevisions(filter: RevisionFilter) {
  const client = useVivienneClient()
  const { layer, ...wanted } = filter
  const query = useInfiniteQuery({
    queryKey: ['history', layer === undefined ? 'all' : (layer ?? 'global'), wanted],
    queryFn: async ({ pageParam, signal }) => ({
      ...(await client.rest.history({
        ...wanted,
        limit: PAGE,
        signal,
        asset: layer ?? null,
        before: pageParam,
        own: layer === null ? true : undefined,
      })),
      // Tells which list it belongs to: the one before is shown until this one is there.
      of: JSON.stringify(filter),
    }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    // What was loaded under another filter may be older than the newest change.
    staleTime: 0,
    // The changes of the filter before, until those of the new one are there.
    placeholderData: keepPreviousData,
  })
  const { data, refetch, hasNextPage, isFetching, fetchNextPage } = query
  const version = useNewestVersion(client, layer ?? null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again because the version moved
  useEffect(() => {
    void refetch()
  }, [version, refetch])

  const entries = useMemo(() => data?.pages.flatMap((page) => page.history) ?? [], [data])
  const pages = data?.pages.length ?? 0
  const tooFew = entries.length < FEW && hasNextPage && !isFetching && pages > 0 && pages < MOST_PAGES_ALONE
  useEffect(() => {
    if (tooFew) void fetchNextPage()
  }, [tooFew, fetchNextPage])
  return { entries, of: data?.pages[0]?.of ?? '', lookedBackTo: data?.pages.at(-1)?.next ?? null, ...query }
}

/** The newest version the stream has told of, for an asset or for any; 0 before it has. */
function useNewestVersion(client: VivienneClient, asset: string | null): number {
  const { states } = client
  return useSyncExternalStore(
    (listener) => states.subscribeAll(listener),
    () => {
      const assets = asset === null ? states.assets() : [asset]
      return Math.max(0, ...assets.map((each) => states.get(each)?.config_version ?? 0))
    },
  )
}
