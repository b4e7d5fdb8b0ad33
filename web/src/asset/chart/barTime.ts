import { zoned } from '../../parts/zone.ts'

const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const DAY = { day: 'numeric', month: 'short' } as const

const utcClock = new Intl.DateTimeFormat(undefined, { ...CLOCK, timeZone: 'UTC' })
const utcDay = new Intl.DateTimeFormat(undefined, { ...DAY, ...CLOCK, timeZone: 'UTC' })

/** When a bar opened, in the zone that is chosen. */
export const formatBarTime = zoned({ ...DAY, ...CLOCK })

/** The same in UTC; with the day only where it is another one. */
export function formatBarUtc(time: string): string {
  const moment = new Date(time)
  const format = moment.getUTCDate() === moment.getDate() ? utcClock : utcDay
  return `${format.format(moment)} UTC`
}
