import { leaves } from 'vivienne-client'
import type { Difference } from '../configuration/proposal.ts'

/** Differences between two documents, by path in dots; a side without a value leaves it out. */
export function differences(old: object, after: object): Difference[] {
  const before = leaves(old)
  const then = leaves(after)
  return Object.keys({ ...before, ...then })
    .filter((path) => before[path] !== then[path])
    .map((path) => ({
      path,
      ...(path in before ? { old: before[path] } : {}),
      ...(path in then ? { new: then[path] } : {}),
    }))
}
