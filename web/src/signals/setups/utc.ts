/** Days and hours of the record are those of UTC, whatever zone is chosen. */

const DAY = { day: 'numeric', month: 'short', timeZone: 'UTC' } as const
const YEAR = { year: 'numeric' } as const
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const days = formats(DAY)
const hours = formats({ ...DAY, ...CLOCK })

/** "4 May"; "4 May 2022" where the year is not that of today. */
export function formatUtcDay(time: number, today = Date.now()): string {
  return days(time, today)
}

/** "4 May, 14:00 UTC", in the same way. */
export function formatUtcHour(time: number, today = Date.now()): string {
  return `${hours(time, today)} UTC`
}

function formats(options: Intl.DateTimeFormatOptions): (time: number, today: number) => string {
  const short = new Intl.DateTimeFormat(undefined, options)
  const long = new Intl.DateTimeFormat(undefined, { ...options, ...YEAR })
  const yearOf = (time: number) => new Date(time).getUTCFullYear()
  return (time, today) => (yearOf(time) === yearOf(today) ? short : long).format(time)
}
