import { numeral } from './numerals.js'
import type { FieldSpec } from './sections.js'

/**
 * Typed content of a field. In a number field a string is the text as it was typed, `1.5 %` and `0,25` too; text that
 * is not a number (yet), such as `''` or `'-'`, or may mean two (`1,234`), is kept and is a problem of that field.
 */
export type Typed = number | boolean | string

/** Typed content as a value. */
export interface Reading {
  /** False if the text is not a number. */
  readonly readable: boolean
  readonly value: unknown
}

/** Read the typed content of a field. */
export function read(spec: FieldSpec, typed: Typed): Reading {
  if (spec.kind !== 'number' && spec.kind !== 'integer') return { readable: true, value: typed }
  if (typeof typed === 'boolean') return { readable: true, value: typed }
  const found = typeof typed === 'number' ? { value: typed } : numeral(typed, spec.unit)
  return 'value' in found && Number.isFinite(found.value)
    ? { readable: true, value: found.value }
    : { readable: false, value: typed }
}

/** True if the typed text is exactly the text shown for the value in force. */
export function shows(spec: FieldSpec, typed: Typed, value: unknown): boolean {
  if (typed === value) return true
  if (spec.kind === 'text') return typed === '' && value === undefined
  return typeof typed === 'string' && typeof value === 'number' && typed === String(value)
}

/** The sentence about a text that is not a number, or may be two. */
export function unreadable(spec: FieldSpec, typed: Typed): string {
  const found = typeof typed === 'string' ? numeral(typed, spec.unit) : { value: 0 }
  const isClear = 'value' in found || found.problem === 'must be a number'
  return `${spec.title} ${isClear ? `must be ${spec.kind === 'integer' ? 'a whole number' : 'a number'}` : found.problem}`
}
