import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import type { RevisionEntry, VivienneClient } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'

const PAGE = 50
/** A filter that finds little looks through so many pages by itself. */
const MOST_PAGES_ALONE = 10
const FEW = 10

/** Which changes are of interest. */
export interface RevisionFilter {
  /** An asset with inherited changes, null for the layer under all assets, undefined for everything. */
  readonly layer: string | null | undefined
  readonly channel?: string
  /** Part of a name, in any case. */
  readonly author?: string
}

/** The changes of a layer, newest first, page by page; loaded again when there is another one. */
export function useRevisions(filter: RevisionFilter) {
  const client = useVivienneClient()
  const { layer } = filter
  const query = useInfiniteQuery({
    queryKey: ['history', layer === undefined ? 'all' : (layer ?? 'global')],
    queryFn: ({ pageParam, signal }) =>
      client.rest.history({
        limit: PAGE,
        signal,
        ...(layer === undefined ? {} : { asset: layer }),
        ...(pageParam === null ? {} : { before: pageParam }),
      }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
    staleTime: 5_000,
  })
  const { data, refetch, hasNextPage, isFetching, fetchNextPage } = query
  const version = useNewestVersion(client, layer ?? null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again because the version moved
  useEffect(() => {
    void refetch()
  }, [version, refetch])

  const loaded = useMemo(() => data?.pages.flatMap((page) => page.history) ?? [], [data])
  const { channel, author } = filter
  const entries = useMemo(
    () => loaded.filter((entry) => isWanted(entry, { layer, ...given(channel, author) })),
    [loaded, layer, channel, author],
  )
  const pages = data?.pages.length ?? 0
  const tooFew = entries.length < FEW && hasNextPage && !isFetching && pages > 0 && pages < MOST_PAGES_ALONE
  useEffect(() => {
    if (tooFew) void fetchNextPage()
  }, [tooFew, fetchNextPage])
  return { entries, loaded, ...query }
}

function given(channel: string | undefined, author: string | undefined) {
  return { ...(channel === undefined ? {} : { channel }), ...(author === undefined ? {} : { author }) }
}

function isWanted(entry: RevisionEntry, { layer, channel, author = '' }: RevisionFilter): boolean {
  if (layer === null && entry.asset_symbol !== null) return false
  if (channel !== undefined && entry.channel !== channel) return false
  return entry.author.toLowerCase().includes(author.trim().toLowerCase())
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
