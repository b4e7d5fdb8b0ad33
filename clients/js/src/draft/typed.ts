import type { FieldSpec } from './sections.js'

/**
 * What a person has put into a field. In a field of a number a string is text as it stands there; text that is no
 * number (yet), like `''` or `'-'`, is kept and is a problem of that field.
 */
export type Typed = number | boolean | string

/** What was typed, as a value. */
export interface Reading {
  /** False where the text is no number. */
  readonly readable: boolean
  readonly value: unknown
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Read what was typed into a field. */
export function read(spec: FieldSpec, typed: Typed): Reading {
  if (spec.kind !== 'number' && spec.kind !== 'integer') return { readable: true, value: typed }
  if (typeof typed === 'boolean') return { readable: true, value: typed }
  const number = typeof typed === 'number' ? typed : DECIMAL.test(typed.trim()) ? Number(typed) : Number.NaN
  return Number.isFinite(number) ? { readable: true, value: number } : { readable: false, value: typed }
}

/** Whether a typed text or value is what is shown for a value in force anyway, to the letter. */
export function shows(spec: FieldSpec, typed: Typed, value: unknown): boolean {
  if (typed === value) return true
  if (spec.kind === 'text') return typed === '' && value === undefined
  return typeof typed === 'string' && typeof value === 'number' && typed === String(value)
}

/** The sentence about a text that is no number. */
export function unreadable(spec: FieldSpec): string {
  return `${spec.title} must be ${spec.kind === 'integer' ? 'a whole number' : 'a number'}`
}
