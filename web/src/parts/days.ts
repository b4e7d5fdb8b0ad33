import { clockOf, zone } from './zone.ts'

/** When a day begins, or one some days later, in the chosen zone; undefined for what is no day. */
export function beginningOf(day: string | null, later: number): string | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? '')
  if (found === null) return undefined
  const [year = 0, month = 1, date = 1] = found.slice(1).map(Number)
  const begins =
    zone() === 'utc' ? new Date(Date.UTC(year, month - 1, date + later)) : new Date(year, month - 1, date + later)
  return Number.isNaN(begins.getTime()) ? undefined : begins.toISOString()
}

/** Nobody means a day before: while a year is typed, its first digits are the year 2 or 20. */
const FIRST_YEAR = 1970

/** True for a day that somebody may mean, "2026-05-04". */
export function isDay(text: string): boolean {
  return beginningOf(text, 0) !== undefined && Number(text.slice(0, 4)) >= FIRST_YEAR
}

/** The day of a moment in the chosen zone, as `beginningOf` takes it: "2026-05-04". */
export function dayOf(moment: string | number): string {
  const { year, month, day } = clockOf(new Date(moment))
  return `${year}-${String(month + 1).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}
