import type { FieldSpec } from './sections.js'

/**
 * Typed content of a field. In a number field a string is the text as it was typed; text that is not a
 * number (yet), such as `''` or `'-'`, is kept and is a problem of that field.
 */
export type Typed = number | boolean | string

/** Typed content as a value. */
export interface Reading {
  /** False if the text is not a number. */
  readonly readable: boolean
  readonly value: unknown
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Read the typed content of a field. */
export function read(spec: FieldSpec, typed: Typed): Reading {
  if (spec.kind !== 'number' && spec.kind !== 'integer') return { readable: true, value: typed }
  if (typeof typed === 'boolean') return { readable: true, value: typed }
  const number = typeof typed === 'number' ? typed : DECIMAL.test(typed.trim()) ? Number(typed) : Number.NaN
  return Number.isFinite(number) ? { readable: true, value: number } : { readable: false, value: typed }
}

/** True if the typed text is exactly the text shown for the value in force. */
export function shows(spec: FieldSpec, typed: Typed, value: unknown): boolean {
  if (typed === value) return true
  if (spec.kind === 'text') return typed === '' && value === undefined
  return typeof typed === 'string' && typeof value === 'number' && typed === String(value)
}

/** The sentence about a text that is not a number. */
export function unreadable(spec: FieldSpec): string {
  return `${spec.title} must be ${spec.kind === 'integer' ? 'a whole number' : 'a number'}`
}
