import { queryOptions, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { type FieldSpec, fieldsOf, formSections } from 'vivienne-client/draft'
import { useAssets, useVivienneState } from 'vivienne-client/react'
import { client } from '../client.ts'

const schemaQuery = queryOptions({
  queryKey: ['schema'],
  queryFn: ({ signal }) => client.rest.schema(signal),
  staleTime: Number.POSITIVE_INFINITY,
})

const NONE: ReadonlyMap<string, FieldSpec> = new Map()

/** Every field of the served schema by its path; empty until it is loaded. */
export function useFieldSpecs(): ReadonlyMap<string, FieldSpec> {
  const { data } = useQuery(schemaQuery)
  return useMemo(
    () => (data === undefined ? NONE : new Map(fieldsOf(formSections(data)).map((spec) => [spec.path, spec]))),
    [data],
  )
}

/** Length of the bars that are decided, of an asset, or of the first one; undefined until a state has come. */
export function useTimeframe(asset: string | null): string | undefined {
  const [first = ''] = useAssets()
  return useVivienneState(asset ?? first, (state) => state?.agents.VivienneAgent?.data.timeframe)
}
