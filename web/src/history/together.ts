import type { RevisionEntry } from 'vivienne-client'
import { isOfAlert } from './alertWords.ts'

/** A change of several layers: one entry for each of them, made at once. */
export interface Together {
  readonly layers: readonly (string | null)[]
  /** Its lowest and highest version, as far as its entries are known. */
  readonly versions: readonly [number, number]
  /** False if there may be more entries than these. */
  readonly whole: boolean
  readonly configId: string
  /** Number of values that it changed. */
  readonly values: number
}

/**
 * The changes of several layers that can be undone: nothing of them was changed again.
 *
 * @param entries - newest first
 * @param isWhole - whether no entry is left out between these
 * @param hasOlder - whether there are older ones
 * @returns by the version of the first of their entries in the list
 */
export function undoable(
  entries: readonly RevisionEntry[],
  isWhole: boolean,
  hasOlder: boolean,
): ReadonlyMap<number, Together> {
  const found = new Map<number, Together>()
  for (let begin = 0, end = 0; begin < entries.length; begin = end) {
    while (end < entries.length && occasion(entries[end]) === occasion(entries[begin])) end++
    const group = entries.slice(begin, end)
    const [first] = group
    if (first === undefined || group.length < 2 || !group.every((entry) => entry.is_active && !isOfAlert(entry)))
      continue
    found.set(first.version, {
      layers: group.map(({ asset_symbol: asset }) => asset).reverse(),
      versions: [group.at(-1)?.version ?? first.version, first.version],
      whole: isWhole && (end < entries.length || !hasOlder),
      configId: first.config_id,
      values: group.reduce((sum, { changed }) => sum + changed.length, 0),
    })
  }
  return found
}

/** Equal in entries of one change. */
function occasion(entry: RevisionEntry | undefined): string {
  return JSON.stringify([entry?.channel, entry?.created_at, entry?.author, entry?.trace_id])
}
