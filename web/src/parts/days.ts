import { zone } from './zone.ts'

/** When a day begins, or one some days later, in the chosen zone; undefined for what is no day. */
export function beginningOf(day: string | null, later: number): string | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? '')
  if (found === null) return undefined
  const [year = 0, month = 1, date = 1] = found.slice(1).map(Number)
  const begins =
    zone() === 'utc' ? new Date(Date.UTC(year, month - 1, date + later)) : new Date(year, month - 1, date + later)
  return Number.isNaN(begins.getTime()) ? undefined : begins.toISOString()
}
