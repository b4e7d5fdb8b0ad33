/** Days and hours of the record are those of UTC, whatever zone is chosen. */

const DAY = { day: 'numeric', month: 'short', timeZone: 'UTC' } as const
const day = new Intl.DateTimeFormat(undefined, DAY)
const hour = new Intl.DateTimeFormat(undefined, { ...DAY, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** "4 May". */
export function formatUtcDay(time: number): string {
  return day.format(time)
}

/** "4 May, 14:00 UTC". */
export function formatUtcHour(time: number): string {
  return `${hour.format(time)} UTC`
}
