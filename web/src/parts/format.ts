import { clockOf, zoned } from './zone.ts'

/**
 * Formats of numbers and times, independent of React: one for each kind. The sentences of the server follow the same rules, in
 * `src/vivienne/agent/wording.py`: no exponents, no whole digit dropped, and digits enough to tell a value from its threshold.
 */

const cached = new Map<string, Intl.NumberFormat>()

/** The format of numbers with so many decimals. */
export function fixed(most: number, least = most): Intl.NumberFormat {
  const key = `${least} ${most}`
  let format = cached.get(key)
  if (!format) {
    format = new Intl.NumberFormat('en-US', { minimumFractionDigits: least, maximumFractionDigits: most })
    cached.set(key, format)
  }
  return format
}

/** A price with so many digits after the point: those of its tick, see `ticks`. */
export function formatPrice(price: number | null | undefined, digits: number): string {
  return price === null || price === undefined ? '-' : fixed(digits).format(price)
}

/** A number with so many significant digits, and all whole ones, without needless zeros. */
export function formatNumber(value: number, digits = 6): string {
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
  // Zero has no sign for a person.
  return fixed(Math.min(100, Math.max(0, digits - 1 - magnitude)), 0).format(value === 0 ? 0 : value)
}

/** A fraction in percent: 0.015 is "1.5 %". */
export function formatPercent(fraction: number, digits = 4): string {
  return `${formatNumber(percentOf(fraction), digits)} %`
}

/** Percent without the dust of binary fractions. */
function percentOf(fraction: number): number {
  return Number((fraction * 100).toPrecision(15))
}

/**
 * A confidence of 0 to 1 in percent: one decimal, and more where it would else read as on another side of a threshold of 0 to
 * 100.
 */
export function formatConfidence(confidence: number, thresholds: readonly number[] = []): string {
  return `${formatBeside(Number((confidence * 100).toFixed(7)), thresholds, 1)} %`
}

/** A value with at least so many decimals, and more where it would else read as on another side of a threshold. */
export function formatBeside(value: number, thresholds: readonly number[], least: number): string {
  let said = ''
  for (let places = least; places < 8; places++) {
    said = value.toFixed(places)
    if (thresholds.every((threshold) => Number(said) >= threshold === value >= threshold)) break
  }
  return said
}

/** A threshold of a confidence, 0 to 100, with every digit it has. */
export function formatThreshold(threshold: number): string {
  return formatNumber(threshold, 12)
}

/** Digits that tell any two numbers apart. */
const EVERY_DIGIT = 17

/** Two values in the same format, with enough digits to tell them apart unless they are equal. */
export function formatApart(
  one: number,
  other: number,
  format: (value: number, digits: number) => string,
): readonly [string, string] {
  for (let digits = 4; digits < EVERY_DIGIT; digits++) {
    const texts = [format(one, digits), format(other, digits)] as const
    if (one === other || texts[0] !== texts[1]) return texts
  }
  return [format(one, EVERY_DIGIT), format(other, EVERY_DIGIT)]
}

/** A relative change of a price: "+1.25 %", "-0.30 %", "0.00 %". */
export function formatChange(fraction: number): string {
  const said = (fraction * 100).toFixed(2)
  if (Number(said) === 0) return '0.00 %'
  return `${fraction > 0 ? '+' : ''}${said} %`
}

/** A position size, in percent of equity. */
export function formatSize(size: number): string {
  return `${formatNumber(size, 4)} %`
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 4 })

/** A volume: "1.234K". */
export function formatVolume(volume: number): string {
  return compact.format(volume)
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

/** A delay in seconds: "< 0.1 s", "0.4 s", "12 s", "3 min". */
export function formatDelay(seconds: number): string {
  if (seconds < 0.1) return '< 0.1 s'
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : formatDuration(seconds * 1000)
}

/** "now", "12 s ago", "3 min ago", "2 h ago", "5 d ago". */
export function formatAge(milliseconds: number): string {
  return milliseconds < 500 ? 'now' : `${formatDuration(milliseconds)} ago`
}

const DAY = { day: 'numeric', month: 'short' } as const
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const MOMENT = { ...DAY, year: 'numeric', ...CLOCK, second: '2-digit' } as const

/** "4 May 2026, 23:30:05", in the zone that is chosen, the viewer's own or UTC. */
export const formatTime = zoned(MOMENT)

const utcMoment = new Intl.DateTimeFormat(undefined, { ...MOMENT, timeZone: 'UTC' })

/** The same in UTC, for those who compare. */
export function formatUtc(time: string | number): string {
  return `${utcMoment.format(new Date(time))} UTC`
}

const barOfThisYear = zoned({ ...DAY, ...CLOCK })
const barOfAnotherYear = zoned({ ...DAY, year: 'numeric', ...CLOCK })

/** When a bar opened: "4 May, 23:30", in the zone that is chosen; "4 May 2022, 23:30" where the year is not that of today. */
export function formatBarTime(time: string | number | Date, today = Date.now()): string {
  const moment = new Date(time)
  return (clockOf(moment).year === clockOf(new Date(today)).year ? barOfThisYear : barOfAnotherYear)(moment)
}

const utcBar = new Intl.DateTimeFormat(undefined, { ...DAY, year: 'numeric', ...CLOCK, timeZone: 'UTC' })

/** The same in UTC, always with its year. */
export function formatBarUtc(time: string): string {
  return `${utcBar.format(new Date(time))} UTC`
}

/** "4 May 2026", in the zone that is chosen. */
export const formatDay = zoned({ ...DAY, year: 'numeric' })

/** Keeps figures and their units in one line where a sentence wraps. */
export function unbroken(sentence: string): string {
  return sentence.replace(/(\d) (%|min|h|d|s)(?!\w)/g, '$1\u00a0$2')
}
