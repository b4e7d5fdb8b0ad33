import { zone } from '../parts/zone.ts'

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

/** When a day begins, or one some days later, in the chosen zone; undefined for what is no day. */
function beginningOf(day: string | null, later: number): string | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? '')
  if (found === null) return undefined
  const [year = 0, month = 1, date = 1] = found.slice(1).map(Number)
  const begins =
    zone() === 'utc' ? new Date(Date.UTC(year, month - 1, date + later)) : new Date(year, month - 1, date + later)
  return Number.isNaN(begins.getTime()) ? undefined : begins.toISOString()
}
