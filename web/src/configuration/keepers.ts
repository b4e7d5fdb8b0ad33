import { useQuery } from '@tanstack/react-query'
import { valueAt } from 'vivienne-client'
import { useAssets, useVivienneClient } from 'vivienne-client/react'

/** With more assets than this it is not looked up which of them keep a value. */
const MOST_ASSETS = 100

/** An asset that sets a value itself. */
export interface Keeper {
  readonly asset: string
  readonly value: unknown
}

/**
 * Which assets set a value themselves, so that a change for all does not reach them there.
 *
 * @param version - of the global layer; asked again when it moves
 * @returns looks up a path; finds nobody while it is not known
 */
export function useKeepers(version: number, wanted: boolean): (path: string) => Keeper[] {
  const client = useVivienneClient()
  const assets = useAssets()
  const { data = [] } = useQuery({
    queryKey: ['keepers', version, assets],
    queryFn: ({ signal }) => Promise.all(assets.map((asset) => client.rest.active(asset, signal))),
    enabled: wanted && assets.length <= MOST_ASSETS,
    retry: false,
    gcTime: 0,
  })
  return (path) =>
    data
      .filter(({ sources }) => sources[path] === 'asset')
      .map(({ asset_symbol: asset, config }) => ({ asset: asset ?? '', value: valueAt(config, path) }))
}
