import { useQueries, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { DecisionPreview, Verdict, VivienneClient } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import type { Proposal } from './proposal.ts'
import { useConnected } from './useConnected.ts'

/** Verdict of the server on a proposal; requested again when it or the configuration in force changes. */
export function useVerdict(proposal: Proposal) {
  const client = useVivienneClient()
  const connected = useConnected()
  const { layer, assets, document, version } = proposal
  return useQuery({
    queryKey: ['validate', layer, assets, version, document],
    queryFn: ({ signal }) => verdictOn(client, proposal, signal),
    enabled: connected && Object.keys(document).length > 0,
    retry: false,
    gcTime: 0,
  })
}

/** The verdict on a change of several assets is that on each of them. */
async function verdictOn(
  client: VivienneClient,
  { layer, assets, document }: Proposal,
  signal: AbortSignal,
): Promise<Verdict> {
  if (assets === undefined) return client.rest.validate(document, { asset: layer, signal })
  const each = await Promise.all(
    assets.map(async (asset) => ({ asset, ...(await client.rest.validate(document, { asset, signal })) })),
  )
  return {
    valid: each.every(({ valid }) => valid),
    errors: each.flatMap(({ asset, errors }) =>
      errors.map((error) => ({ ...error, message: `${asset}: ${error.message}` })),
    ),
    warnings: each.flatMap(({ asset, warnings }) =>
      warnings.map((warning) => ({ ...warning, asset, message: `${asset}: ${warning.message}` })),
    ),
    assets: each.flatMap((verdict) => verdict.assets ?? []),
  }
}

/** Number of the last bars of an asset that a preview looks at. */
export const PREVIEW_BARS = 500
/** So many different bars are shown. */
export const EXAMPLES = 5
/** Previews that are asked for at a time; others must get through. */
const AT_A_TIME = 3

/** What a proposal would have done on the last bars of an asset. */
export interface AssetPreview {
  readonly asset: string
  readonly data: DecisionPreview | undefined
  readonly error: Error | null
}

/** Effect of a proposal on the last bars of assets; a few are asked for at a time, in their order. */
export function usePreviews(
  { layer, assets: several, document, version }: Proposal,
  assets: readonly string[],
): { readonly previews: readonly AssetPreview[]; readonly again: () => void } {
  const client = useVivienneClient()
  const connected = useConnected()
  const [asked, setAsked] = useState(AT_A_TIME)
  const wanted = connected && Object.keys(document).length > 0
  const queries = useQueries({
    queries: assets.map((asset, place) => ({
      queryKey: ['preview', several === undefined ? layer : asset, asset, version, document],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        client.rest.preview(asset, document, {
          layer: several === undefined ? layer : asset,
          bars: PREVIEW_BARS,
          examples: EXAMPLES,
          signal,
        }),
      enabled: wanted && place < asked,
      retry: false,
      gcTime: 0,
    })),
  })
  const settled = queries.filter(({ isPending, isFetching }) => !isPending && !isFetching).length
  useEffect(() => setAsked(settled + AT_A_TIME), [settled])
  return {
    previews: assets.map((asset, place) => ({
      asset,
      data: queries[place]?.data,
      error: queries[place]?.error ?? null,
    })),
    again: () => {
      for (const query of queries) if (query.isError) void query.refetch()
    },
  }
}
