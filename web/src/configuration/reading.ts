import type { FieldSpec } from 'vivienne-client/draft'
import { formatNumber } from '../parts/format.ts'
import { figure, plainNumber } from './numbers.ts'

const MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 }

/** Minutes of a timeframe such as `15m`; null for one that is not understood. */
export function timeframeMinutes(timeframe: string | undefined): number | null {
  const parts = /^(\d+)([mhd])$/.exec(timeframe ?? '')
  return parts ? Number(parts[1]) * (MINUTES[parts[2] ?? ''] ?? 1) : null
}

/** "45 min", "5 h", "1.5 d". */
export function formatSpan(minutes: number): string {
  if (minutes < 60) return rounded(minutes, 'min', 3)
  return minutes < 1440 ? rounded(minutes / 60, 'h', 3) : rounded(minutes / 1440, 'd', 3)
}

/** "1.5 %"; "≈ 0.7329 %" where that is not all of it. */
function rounded(value: number, unit: string, digits = 5): string {
  const exact = Number(value.toPrecision(digits)) === Number(value.toPrecision(12))
  return `${exact ? '' : '≈ '}${formatNumber(value, digits)} ${unit}`
}

/**
 * A value as a person reads it, where that is another way than it is typed: 0.015 of the price is 1.5 %, 20 bars of
 * 15 minutes are 5 hours.
 */
export function readingOf(spec: Pick<FieldSpec, 'unit'>, value: unknown, timeframe?: string): string | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null
  const unit = spec.unit ?? ''
  if (unit.startsWith('fraction')) return rounded(value * 100, '%')
  if (unit.startsWith('percent') || unit.startsWith('confidence')) return rounded(value, '%')
  if (unit === 'minutes' && value >= 60) return formatSpan(value)
  if (unit === 'bars') {
    const minutes = timeframeMinutes(timeframe)
    return minutes === null ? null : formatSpan(value * minutes)
  }
  return Math.abs(value) >= 10_000 ? figure(value) : null
}

/** Beside a typed number: what was understood, where it is typed in another way, else how a person reads it. */
export function besideWords(text: string, number: number | null, reading: string | null): string | null {
  const isPlain = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text.trim())
  if (number !== null && !isPlain) return `= ${plainNumber(number)}`
  if (reading === null) return null
  return reading.startsWith('≈') ? reading : `= ${reading}`
}

/** A value in a difference: as it was typed, with the human reading behind it. */
export function valueWords(spec: FieldSpec | undefined, value: unknown, timeframe?: string): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value)
  const reading = spec && !sameDigits(spec) ? readingOf(spec, value, timeframe) : null
  return reading === null ? figure(value) : `${figure(value)} (${reading})`
}

/** True if the reading has the digits of the value, so that it would only be said twice. */
function sameDigits(spec: FieldSpec): boolean {
  const unit = spec.unit ?? ''
  return unit.startsWith('percent') || unit.startsWith('confidence') || !/^(fraction|minutes|bars)/.test(unit)
}

/** "0.5 %"; "0.5 → 13 %" where a position size changes. */
export function sizeWords(now: number, then: number): string {
  return now === then ? `${figure(now)} %` : `${figure(now)} → ${figure(then)} %`
}

/** "0 to 0.4": the bounds in words; null where there are none. */
export function boundsWords(spec: FieldSpec): string | null {
  const { minimum, maximum } = spec
  if (minimum !== undefined && maximum !== undefined) return `${figure(minimum)} to ${figure(maximum)}`
  if (minimum !== undefined) return `from ${figure(minimum)}`
  return maximum === undefined ? null : `up to ${figure(maximum)}`
}

/** The unit without bounds that are said beside it anyway ("weight, 0 to 1"). */
export function unitWords(spec: FieldSpec): string | null {
  const unit = (spec.unit ?? '').replace(/, [\d.]+ to [\d.]+$/, '')
  return unit === '' ? null : unit
}
