/**
 * The newer of two plain documents, with every part that is equal taken from the older one: what did not change keeps
 * its identity, so that a comparison of references shows that it did not.
 */
export function shared<T>(older: T | undefined, newer: T): T {
  return settled(older, newer) as T
}

function settled(older: unknown, newer: unknown): unknown {
  if (Object.is(older, newer)) return older
  if (Array.isArray(older) && Array.isArray(newer)) {
    const parts = newer.map((part, index) => settled(older[index], part))
    return parts.length === older.length && parts.every((part, index) => Object.is(part, older[index])) ? older : parts
  }
  if (!isPlain(older) || !isPlain(newer)) return newer
  const names = Object.keys(newer)
  const parts: Record<string, unknown> = {}
  let same = names.length === Object.keys(older).length
  for (const name of names) {
    parts[name] = settled(older[name], newer[name])
    same &&= name in older && Object.is(parts[name], older[name])
  }
  return same ? older : parts
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
