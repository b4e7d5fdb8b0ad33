import { useQuery } from '@tanstack/react-query'
import { leaves, type RevisionEntry } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { useFieldSpecs } from '../configuration/fields.ts'

/** A value that a layer did not set itself, and where it came from. */
export interface Inherited {
  readonly value: unknown
  readonly from: 'all assets' | 'default'
}

/** Values that the layer of a change inherited at that version, by path; without those of all assets while these load. */
export function useInherited({ asset_symbol: asset, version }: RevisionEntry): (path: string) => Inherited {
  const client = useVivienneClient()
  const specs = useFieldSpecs()
  const { data } = useQuery({
    queryKey: ['global at', version],
    queryFn: async ({ signal }) => {
      const { history } = await client.rest.history({ own: true, before: version + 1, limit: 1, signal })
      return leaves(history[0]?.config ?? {})
    },
    enabled: asset !== null,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (path) =>
    data !== undefined && path in data
      ? { value: data[path], from: 'all assets' }
      : { value: specs.get(path)?.default, from: 'default' }
}
