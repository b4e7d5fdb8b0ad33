/**
 * Entries of a list up to the newest that is shown. New ones that wait take the places of the oldest in what the server answers;
 * those that were shown stay nevertheless.
 *
 * @param before what was shown before, of the same list
 * @param entries what the server answered, newest first
 * @param shownTo place of the newest entry that is shown; null shows all
 */
export function calmList<T>(
  before: readonly T[],
  entries: readonly T[],
  shownTo: number | null,
  orderOf: (entry: T) => number,
  keyOf: (entry: T) => unknown,
): readonly T[] {
  const [newest] = entries
  if (shownTo === null || newest === undefined || orderOf(newest) <= shownTo) return entries
  const shown = entries.filter((entry) => orderOf(entry) <= shownTo)
  const oldest = Math.min(...entries.map(orderOf))
  const known = new Set(entries.map(keyOf))
  // One that is missing among those that were answered is not there any more.
  const pushedOff = before.filter((entry) => orderOf(entry) <= Math.min(oldest, shownTo) && !known.has(keyOf(entry)))
  return [...shown, ...pushedOff]
}
