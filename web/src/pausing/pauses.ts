import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { AssetData, PauseEntry, VivienneClient } from 'vivienne-client'
import { useConnection, useVivienneClient } from 'vivienne-client/react'
import { useStandings } from '../overview/standings.ts'
import { pausesQuery } from '../queries.ts'
import { disagree } from './words.ts'

/** A pause of all assets moves the states of all of them at once; the list is asked for once, in ms. */
const SETTLE = 40
/** The states and the list may differ for so long; then the list is asked for again, in ms. */
const DISAGREE = 2_000

const NONE: readonly PauseEntry[] = []

/** The pause that keeps an asset idle by its state; another text is another pause. */
function traceOf({ agents, config_version }: AssetData): string {
  const data = agents.VivienneAgent?.data
  return data?.status === 'paused' ? `${config_version} ${data.pause?.config_id} ${data.pause?.version}` : ''
}

/**
 * Asks for the list of pauses when the states say that it is another one. Nothing is asked while none of them moves.
 *
 * @returns a function that ends it
 */
export function followPauses(queries: QueryClient, { states }: VivienneClient): () => void {
  const traces = new Map<string, string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (asset: string) => {
    const state = states.get(asset)
    const trace = state === undefined ? '' : traceOf(state)
    if (trace === (traces.get(asset) ?? '')) return
    traces.set(asset, trace)
    timer ??= setTimeout(() => {
      timer = undefined
      void askAgain(queries)
    }, SETTLE)
  }
  for (const asset of states.assets()) look(asset)
  const leave = states.subscribeAll(look)
  return () => {
    leave()
    clearTimeout(timer)
  }
}

/** Fetch the pauses again. Resolves when the list has arrived. */
export async function askAgain(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ queryKey: pausesQuery().queryKey })
}

/** Keeps the list of pauses right: after each change, after each reconnect, and while the states disagree with it. */
export function useKeptPauses(): void {
  const queries = useQueryClient()
  const client = useVivienneClient()
  const live = useConnection().state === 'live'
  const { data, dataUpdatedAt, errorUpdatedAt } = useQuery(pausesQuery())
  const differs = disagree(data, useStandings())
  useEffect(() => {
    if (!live) return
    // What was switched while nothing came.
    void askAgain(queries)
    return followPauses(queries, client)
  }, [live, queries, client])
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again after each answer that settles nothing
  useEffect(() => {
    if (!live || !differs) return
    const timer = setTimeout(() => void askAgain(queries), DISAGREE)
    return () => clearTimeout(timer)
  }, [live, differs, dataUpdatedAt, errorUpdatedAt, queries])
}

/** Every pause in force, that of all assets first. */
export function usePauses(): readonly PauseEntry[] {
  return useQuery(pausesQuery()).data?.pauses ?? NONE
}

/** The pause of a layer itself: of an asset, or of all of them for null. */
export function useOwnPause(layer: string | null): PauseEntry | undefined {
  return usePauses().find(({ asset_symbol }) => asset_symbol === layer)
}
