import { useQuery } from '@tanstack/react-query'
import { useVivienneClient } from 'vivienne-client/react'
import type { Proposal } from './proposal.ts'
import { useConnected } from './useConnected.ts'

/** Verdict of the server on a proposal; requested again when it or the configuration in force changes. */
export function useVerdict({ layer, document, version }: Proposal) {
  const client = useVivienneClient()
  const connected = useConnected()
  return useQuery({
    queryKey: ['validate', layer, version, document],
    queryFn: ({ signal }) => client.rest.validate(document, { asset: layer, signal }),
    enabled: connected && Object.keys(document).length > 0,
    retry: false,
    gcTime: 0,
  })
}

/** Number of of the last bars a preview looks at. */
export const PREVIEW_BARS = 500

/** Effect of a proposal on the last bars of an asset. */
export function usePreview({ layer, document, version }: Proposal, asset: string | undefined) {
  const client = useVivienneClient()
  const connected = useConnected()
  return useQuery({
    queryKey: ['preview', layer, asset, version, document],
    queryFn: ({ signal }) => client.rest.preview(asset ?? '', document, { layer, bars: PREVIEW_BARS, signal }),
    enabled: connected && asset !== undefined && Object.keys(document).length > 0,
    retry: false,
    gcTime: 0,
  })
}
