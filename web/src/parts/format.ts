import { zoned } from './zone.ts'

/** Formats of numbers and times, independent of React. */

const cached = new Map<number, Intl.NumberFormat>()

function fixed(digits: number): Intl.NumberFormat {
  let format = cached.get(digits)
  if (!format) {
    format = new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    cached.set(digits, format)
  }
  return format
}

/** A price with so many digits after the point: those of its tick, see `ticks`. */
export function formatPrice(price: number | null | undefined, digits: number): string {
  return price === null || price === undefined ? '-' : fixed(digits).format(price)
}

/** A confidence of 0..1 as a whole percentage. */
export function formatConfidence(confidence: number): string {
  return `${Math.round(confidence * 100)} %`
}

/** A number without needless zeros. */
export function formatNumber(value: number, digits = 6): string {
  return new Intl.NumberFormat('en-US', { maximumSignificantDigits: digits }).format(value)
}

/** Any value of a configuration as a person reads it. */
export function formatValue(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value, 12)
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (value === undefined || value === null) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** "12 s", "3 min", "2 h", "5 d". */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** "now", "12 s ago", "3 min ago", "2 h ago", "5 d ago". */
export function formatAge(milliseconds: number): string {
  return milliseconds < 500 ? 'now' : `${formatDuration(milliseconds)} ago`
}

/** In the zone that is chosen, the viewer's own or UTC. */
export const formatTime = zoned({ dateStyle: 'medium', timeStyle: 'medium' })

/** In UTC, for those who compare. */
export function formatUtc(time: string | number): string {
  return `${new Date(time).toISOString().replace('T', ' ').slice(0, 19)} UTC`
}
