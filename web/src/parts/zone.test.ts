import { afterEach, expect, test } from 'vitest'
import { clockOf, setZone, zoned } from './zone.ts'

const MOMENT = '2026-05-04T23:30:00Z'
const clock = zoned({ day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

afterEach(() => setZone('local'))

test('times are those of the viewer until UTC is chosen, by every formatter at once', () => {
  const { day, minute } = clockOf(new Date(MOMENT))
  const local = new Date(MOMENT)
  expect([day, minute]).toEqual([local.getDate(), local.getHours() * 60 + local.getMinutes()])
  setZone('utc')
  expect(clock(MOMENT)).toMatch(/4.*23:30/)
  expect(clockOf(new Date(MOMENT))).toEqual({ year: 2026, month: 4, day: 4, minute: 23 * 60 + 30 })
  setZone('local')
  expect(clock(MOMENT)).toContain(String(local.getHours()).padStart(2, '0'))
})
