import type { FieldSpec } from '../draft/sections.js'
import type { DraftField } from '../draft/snapshot.js'
import { figure } from '../validation.js'

/** A value as a person reads it. */
export function shown(value: unknown): string {
  if (value === undefined || value === '') return 'nothing'
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'number') return figure(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Unit and bounds of a number. */
export function measure({ unit, minimum, maximum }: FieldSpec): string {
  const bounds = minimum === undefined || maximum === undefined ? '' : `${figure(minimum)} to ${figure(maximum)}`
  // Some units say their bounds: "confidence, 0 to 100".
  return unit?.endsWith(bounds) ? unit : [unit, bounds].filter(Boolean).join(', ')
}

/** Source of a value in force. */
export function origin({ source }: DraftField, asset: string | null): string {
  if (source === 'asset') return `Set for ${asset}.`
  if (source === 'global') return 'Set for all assets.'
  return source === 'default' ? 'Default.' : ''
}

/** Value after a reset. */
export function inherited({ inherits, inheritsFrom }: DraftField): string {
  return `${shown(inherits)} (${inheritsFrom === 'default' ? 'default' : 'all assets'})`
}
