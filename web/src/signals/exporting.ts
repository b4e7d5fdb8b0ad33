import type { SignalFilter } from './filter.ts'

/** Where the list of a filter is as CSV: every signal, without pages. Of one asset there is also every decision. */
export function exportPath({ asset, ...filter }: SignalFilter, only?: string): string {
  const search = new URLSearchParams({ format: 'csv' })
  for (const [name, value] of Object.entries(filter)) search.set(name, `${value}`)
  if (only !== undefined) return `/phoenix/assets/${encodeURIComponent(only)}/decisions?${search}`
  for (const each of asset ?? []) search.append('asset', each)
  return `/phoenix/decisions?${search}`
}

/** Name of the file, as the server gives it. */
export function fileName(disposition: string | null): string {
  return /filename="?([^";]+)"?/.exec(disposition ?? '')?.[1] ?? 'vivienne-decisions.csv'
}

/** Why there is no file, in the words of the server. */
export async function refusal(response: Response): Promise<string> {
  const { detail } = await response.json().catch(() => ({}))
  return typeof detail === 'string' ? detail : `The server answered with status ${response.status}.`
}
