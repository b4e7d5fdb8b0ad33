import { useQuery } from '@tanstack/react-query'
import { type RevisionEntry, VivienneError } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { missingWords } from './missingWords.ts'

/** There is no such version. */
export class MissingVersion extends VivienneError {}

/** A change by its version, asked for where it is not loaded. */
export function useRevision(version: number, loaded: readonly RevisionEntry[] = []) {
  const client = useVivienneClient()
  const there = loaded.find((entry) => entry.version === version)
  const { data, error } = useQuery({
    queryKey: ['revision', version],
    queryFn: async ({ signal }) => {
      const { history } = await client.rest.history({ before: version + 1, limit: 1, signal })
      const [entry] = history
      if (entry?.version !== version) throw new MissingVersion(missingWords(version, entry?.version))
      return entry
    },
    enabled: there === undefined,
    retry: false,
  })
  return { data: there ?? data, error }
}
