import { isObject } from './paths.js'

/** What a JSON Merge Patch (RFC 7396) makes of a value, which stays as it is. Parts that do not change are the same objects. */
export function patched(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  // Not by assignment: a field may have any name, __proto__ too.
  const fields = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) fields.delete(name)
    else fields.set(name, patched(fields.get(name), value))
  }
  return Object.fromEntries(fields)
}
