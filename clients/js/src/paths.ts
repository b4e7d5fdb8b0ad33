import type { Document } from './types.js'

/** True if a value is a JSON object: neither null nor a list. */
export function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The value at a path, or undefined where the document says nothing.
 *
 * @param path - in dots, such as `settings.state_threshold_bang`
 */
export function valueAt(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined), document)
}

/** A new document with another value at a path; sections on the way are made. The old one stays as it was. */
export function withValue<T extends object>(document: T, path: string, value: unknown): T {
  const [name = '', ...rest] = path.split('.')
  const below = valueAt(document, name)
  return {
    ...document,
    [name]: rest.length ? withValue(isObject(below) ? below : {}, rest.join('.'), value) : value,
  }
}

/** Values by their path in dots. Lists are values. */
export function leaves(document: object): Record<string, unknown> {
  const found = (inner: object, prefix: string): [string, unknown][] =>
    Object.entries(inner).flatMap(([name, value]) =>
      isObject(value) ? found(value, `${prefix}${name}.`) : [[prefix + name, value]],
    )
  return Object.fromEntries(found(document, ''))
}

/** A new document: `base`, with what `over` says laid over it, at any depth. */
export function merged<T extends object>(base: T, over: object): T {
  const laid = Object.entries(given(over)).map(([name, value]) => {
    const below = valueAt(base, name)
    return [name, isObject(value) ? merged(isObject(below) ? below : {}, value) : value]
  })
  return { ...base, ...Object.fromEntries(laid) }
}

/** A copy without undefined values, which JSON omits as well. */
export function given<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
