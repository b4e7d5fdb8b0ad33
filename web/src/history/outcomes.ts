import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useSyncExternalStore } from 'react'
import { type ChangeOutcome, type VersionSpan, VivienneProblem } from 'vivienne-client'
import { useVivienneClient, useVivienneState } from 'vivienne-client/react'
import { useDecision } from '../asset/agent.ts'
import { record } from '../client.ts'
import { steady } from '../clock/clocks.ts'
import type { ChosenCosts } from '../signals/costs/costs.ts'

/** Versions are asked for in blocks of so many, so that all changes of a long history share a few requests. */
const BLOCK = 200
/** What came of the version in force is asked for again as bars close, but not more often than this. */
const INTERVAL_MS = 10_000
/** A closed bar is in the record after a moment. */
const RECORDED_MS = 1_000
/** The same of all assets, which is more work. */
const INTERVAL_OF_ALL_MS = 60_000
/** Known again at once if it is looked at again. */
const FRESH_MS = 60_000
let last: Promise<unknown> = Promise.resolve()

/** Makes one call after the other: each is work for the server, which lets nobody have many at once. */
function oneByOne<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  const next = last.then(() => {
    signal.throwIfAborted()
    return call()
  })
  last = next.catch(() => {})
  return next
}

/** No other call came for so long. */
const CALM_MS = 300

/** Makes a call when no others wait, nor come soon: it is a lot of work, and they are not. */
async function afterOthers<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (let seen: typeof last | null = null; seen !== last; ) {
    seen = last
    await seen
    await new Promise((done) => setTimeout(done, CALM_MS))
    signal.throwIfAborted()
  }
  return oneByOne(signal, call)
}

/** Versions of an asset; why there are none if nothing is recorded. */
interface Block {
  readonly versions: readonly VersionSpan[]
  readonly timeframe: string
  readonly nothing: string | null
}

/** What the server said when it was asked for a record that it does not keep: it is not asked again. */
let notKept: string | null = null

/** The versions of a block that decided bars of an asset: those from `block * BLOCK` on. */
function blockQuery(asset: string, block: number) {
  const before = (block + 1) * BLOCK
  return queryOptions({
    queryKey: ['versions', asset, block],
    queryFn: ({ signal }) => oneByOne(signal, () => blockOf(asset, before, signal)),
    staleTime: FRESH_MS,
    retry: false,
  })
}

async function blockOf(asset: string, before: number, signal: AbortSignal): Promise<Block> {
  try {
    if (notKept === null) return { ...(await record.versions(asset, { before, limit: BLOCK, signal })), nothing: null }
  } catch (error) {
    if (!(error instanceof VivienneProblem) || error.code !== 'not_recorded') throw error
    notKept = error.message
  }
  return { versions: [], timeframe: '', nothing: notKept }
}

function outcomeQuery(asset: string, version: number, points?: number, costs?: ChosenCosts) {
  return queryOptions({
    queryKey: ['outcome', asset, version, points, costs],
    queryFn: ({ signal }) => oneByOne(signal, () => record.version(asset, version, { points, ...costs, signal })),
    staleTime: FRESH_MS,
    retry: false,
  })
}

/** What came of a version for all assets; why there is nothing if nothing is recorded of it. */
interface Together {
  readonly outcome: ChangeOutcome | null
  readonly nothing: string | null
}

function togetherQuery(version: number, points?: number, costs?: ChosenCosts) {
  return queryOptions({
    queryKey: ['change-outcome', version, points, costs],
    // A line of a list can wait for those beside it.
    queryFn: ({ signal }) =>
      (points === 0 ? afterOthers : oneByOne)(signal, () => togetherOf(version, { points, ...costs, signal })),
    staleTime: FRESH_MS,
    retry: false,
  })
}

async function togetherOf(version: number, options: Parameters<typeof record.change>[1]): Promise<Together> {
  try {
    if (notKept === null) {
      const outcome = await record.change(version, options)
      return { outcome: outcome.assets.length > 0 ? outcome : null, nothing: null }
    }
  } catch (error) {
    if (!(error instanceof VivienneProblem) || error.code !== 'not_recorded') throw error
    notKept = error.message
  }
  return { outcome: null, nothing: notKept }
}

/** The bars that a version decided of an asset: `span` is null if it decided none. */
export function useSpan(
  asset: string,
  version: number,
  { enabled, followed }: { enabled: boolean; followed: boolean },
) {
  const query = useQuery({
    ...blockQuery(asset, Math.floor(version / BLOCK)),
    enabled,
    select: ({ versions, ...block }) => ({
      ...block,
      span: versions.find((each) => each.version === version) ?? null,
    }),
  })
  useRefetched(asset, enabled && followed, query.refetch)
  return query
}

interface Wanted {
  readonly enabled: boolean
  readonly followed: boolean
  /** Most points of the curves. */
  readonly points?: number
  /** Other costs than those of the server. */
  readonly costs?: ChosenCosts
}

/** What came of a version of an asset; asked for again as bars close while it is followed. */
export function useOutcome(asset: string, version: number, { enabled, followed, points, costs }: Wanted) {
  // What was there with other costs stays until the new one is.
  const query = useQuery({
    ...outcomeQuery(asset, version, points, costs),
    enabled,
    placeholderData: keepPreviousData,
  })
  useRefetched(asset, enabled && followed, query.refetch)
  return query
}

/** What came of a version for all assets, as one equity; asked for again as bars close while it decides any of them. */
export function useChangeOutcome(
  version: number,
  assets: readonly string[],
  { enabled, points, costs }: Omit<Wanted, 'followed'>,
) {
  const { states } = useVivienneClient()
  // The first that it decides tells when bars close.
  const asset = useSyncExternalStore(
    (listener) => states.subscribeAll(listener),
    () => assets.find((each) => states.get(each)?.config_version === version),
  )
  const query = useQuery({ ...togetherQuery(version, points, costs), enabled, placeholderData: keepPreviousData })
  useRefetched(asset ?? assets[0] ?? '', enabled && asset !== undefined, query.refetch, INTERVAL_OF_ALL_MS)
  return query
}

/** True while a version decides an asset: the version in force in a layer may be older than a change of another layer. */
export function useIsDeciding(asset: string, version: number): boolean {
  return useVivienneState(asset, (state) => state?.config_version === version) ?? false
}

/** Fetches again when bars of an asset have closed. */
function useRefetched(
  asset: string,
  enabled: boolean,
  refetch: (options: { cancelRefetch: boolean }) => unknown,
  interval = INTERVAL_MS,
) {
  const bar = useDecision(asset, ({ bar_time }) => bar_time)
  const seen = useRef(bar)
  const next = useRef<{ timer?: ReturnType<typeof setTimeout>; last: number }>({ last: Number.NEGATIVE_INFINITY })
  useEffect(() => {
    const isFirst = seen.current === undefined
    const isSame = seen.current === bar
    seen.current = bar
    if (!enabled || isFirst || isSame || next.current.timer !== undefined) return
    const wait = Math.max(RECORDED_MS, next.current.last + interval - steady.now())
    next.current.timer = setTimeout(() => {
      next.current = { last: steady.now() }
      refetch({ cancelRefetch: false })
    }, wait)
  }, [bar, enabled, refetch, interval])
  useEffect(
    () => () => {
      clearTimeout(next.current.timer)
      delete next.current.timer
    },
    [],
  )
}
