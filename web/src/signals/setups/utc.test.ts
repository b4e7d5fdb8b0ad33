import { expect, test } from 'vitest'
import { formatUtcDay, formatUtcHour } from './utc.ts'

test('days and hours of the record say their year where it is not that of today', () => {
  const today = Date.parse('2026-05-04T12:00:00Z')
  const [now, then] = ['2026-01-01T14:00:00Z', '2022-08-14T14:00:00Z'].map(Date.parse) as [number, number]
  expect([formatUtcDay(now, today), formatUtcHour(now, today)].join()).not.toContain('2026')
  expect(formatUtcDay(then, today)).toContain('2022')
  expect(formatUtcHour(then, today)).toMatch(/2022.*14:00 UTC$/)
})
