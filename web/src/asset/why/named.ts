import type { Configuration, NearestChange } from 'vivienne-client'

/** A number or switch of a configuration; undefined if it has none there. */
export function valueAt(configuration: Configuration, path: string): number | boolean | undefined {
  let found: unknown = configuration
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Readonly<Record<string, unknown>>)[name]
  }
  return typeof found === 'number' || typeof found === 'boolean' ? found : undefined
}

/**
 * The changes that are worth naming of a decision of the past. Of an entry that was held one asks why it did not fire, so that the
 * smallest change that lets it through comes first, then the smallest of all.
 */
export function worthNaming(
  held: boolean,
  nearest: NearestChange | null,
  all: readonly NearestChange[],
): readonly NearestChange[] {
  const smallest = nearest === null ? [] : [nearest]
  if (!held) return smallest
  const release = [...smallest, ...all].find((change) => !change.held && change.clarity_level !== 'idle')
  if (release === undefined) return smallest
  return [release, ...smallest.filter(({ message }) => message !== release.message)]
}
