import { beginningOf } from '../parts/days.ts'

/** Names of the filters in the address. */
export const FILTER_NAMES = ['asset', 'channel', 'author', 'reason', 'field', 'since', 'until'] as const
export type FilterName = (typeof FILTER_NAMES)[number]

/** Which changes are of interest. */
export interface RevisionFilter {
  /** An asset with inherited changes, null for the layer under all assets, undefined for everything. */
  readonly layer: string | null | undefined
  readonly channel?: string
  /** Part of a name, in any case. */
  readonly author?: string
  /** Part of a reason, in any case. */
  readonly reason?: string
  /** Path of a value or of a section. */
  readonly field?: string
  /** ISO 8601: from this moment on. */
  readonly since?: string
  /** ISO 8601: before this moment. */
  readonly until?: string
}

/** The filter an address asks for. Its dates are days on the clock of the viewer: from the first to the last of them. */
export function filterOf(address: URLSearchParams): RevisionFilter {
  const asset = address.get('asset') ?? ''
  const texts = (['channel', 'author', 'reason', 'field'] as const).flatMap((name) => {
    const text = address.get(name)?.trim() ?? ''
    return text === '' ? [] : [[name, text] as const]
  })
  const since = beginningOf(address.get('since'), 0)
  const until = beginningOf(address.get('until'), 1)
  return {
    layer: asset === '' ? undefined : asset === 'global' ? null : asset,
    ...Object.fromEntries(texts),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
}

/** True if it leaves anything out but other layers. */
export function isNarrowed({ layer: _, ...rest }: RevisionFilter): boolean {
  return Object.keys(rest).length > 0
}
