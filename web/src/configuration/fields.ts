import { queryOptions, useQuery } from '@tanstack/react-query'
import { useContext, useMemo } from 'react'
import { type FieldSpec, fieldsOf, formSections } from 'vivienne-client/draft'
import { useAssets, useVivienneState } from 'vivienne-client/react'
import { client } from '../client.ts'
import { FormContext } from './FormContext.ts'

export const schemaQuery = queryOptions({
  queryKey: ['schema'],
  queryFn: ({ signal }) => client.rest.schema(signal),
  staleTime: Number.POSITIVE_INFINITY,
})

const NONE: ReadonlyMap<string, FieldSpec> = new Map()

/** Every field of the served schema by its path; empty until it is loaded. A form has them already. */
export function useFieldSpecs(): ReadonlyMap<string, FieldSpec> {
  const form = useContext(FormContext)
  const { data } = useQuery({ ...schemaQuery, enabled: form === null })
  const loaded = useMemo(
    () => (data === undefined ? NONE : new Map(fieldsOf(formSections(data)).map((spec) => [spec.path, spec]))),
    [data],
  )
  return form?.specs ?? loaded
}

/** Title of a value in words, before the schema is there too: never a path. */
export function titleOf(specs: ReadonlyMap<string, FieldSpec>, path: string): string {
  const [name = path, section] = path.split('.').reverse()
  const words = (text: string) => text.replaceAll('_', ' ')
  if (name === 'description') return section === undefined ? 'Note' : `Note on ${words(section)}`
  return specs.get(path)?.title ?? words(name).replace(/^./, (letter) => letter.toUpperCase())
}

/** Length of the bars that are decided, of an asset, or of the first one; undefined until a state has come. */
export function useTimeframe(asset: string | null): string | undefined {
  const [first = ''] = useAssets()
  return useVivienneState(asset ?? first, (state) => state?.agents.VivienneAgent?.data.timeframe)
}
