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

/** Looks up the values of assets at a path; finds nothing while they are not known. */
export interface AssetValues {
  /** Those of assets that set the value themselves, so that a change for all does not reach them there. */
  kept(path: string): Keeper[]
  /** Those of some assets that are not this value. */
  others(path: string, assets: readonly string[], value: unknown): Keeper[]
}

/**
 * The values of every asset.
 *
 * @param version - of the edited layer; asked again when it moves
 */
export function useAssetValues(version: number, wanted: boolean): AssetValues {
  const client = useVivienneClient()
  const assets = useAssets()
  const { data = [] } = useQuery({
    queryKey: ['keepers', version, assets],
    queryFn: ({ signal }) => Promise.all(assets.map((asset) => client.rest.active(asset, signal))),
    enabled: wanted && assets.length <= MOST_ASSETS,
    retry: false,
    gcTime: 0,
  })
  const at = (path: string) =>
    data.map(({ asset_symbol: asset, config, sources }) => ({
      asset: asset ?? '',
      value: valueAt(config, path),
      isOwn: sources[path] === 'asset',
    }))
  return {
    kept: (path) => at(path).filter(({ isOwn }) => isOwn),
    others: (path, of, value) => at(path).filter((each) => of.includes(each.asset) && each.value !== value),
  }
}
