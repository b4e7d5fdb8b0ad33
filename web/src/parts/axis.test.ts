import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { numberTicks, timeTicks } from './axis.ts'
import { setZone } from './zone.ts'

describe('the axis of numbers', () => {
  const labels = (low: number, high: number, most: number) => numberTicks(low, high, most).map(({ label }) => label)

  test('has round numbers within its ends, zero without digits', () => {
    expect(labels(-0.13, 0.31, 5)).toEqual(['-0.1', '0', '0.1', '0.2', '0.3'])
    expect(labels(-1, 1, 4)).toEqual(['-1.0', '-0.5', '0', '0.5', '1.0'])
    expect(labels(0, 40, 4)).toEqual(['0', '10', '20', '30', '40'])
  })

  test('has digits enough for the smallest differences', () => {
    expect(labels(0.00001, 0.00004, 3)).toEqual(['0.00001', '0.00002', '0.00003', '0.00004'])
  })

  test('is empty where there is no range', () => {
    expect([labels(1, 1, 4), labels(Number.NaN, 1, 4), labels(0, 1, 0)]).toEqual([[], [], []])
  })
})

describe('the axis of times', () => {
  beforeEach(() => setZone('utc'))
  afterEach(() => setZone('local'))
  const ticks = (from: string, to: string, most: number) =>
    timeTicks(Date.parse(from), Date.parse(to), most).map(({ value, label }) => [
      new Date(value).toISOString().slice(5, 16),
      label,
    ])

  test('has full hours, and the day where one begins', () => {
    expect(ticks('2026-05-04T20:15Z', '2026-05-05T07:00Z', 4)).toEqual([
      ['05-04T21:00', '21:00'],
      ['05-05T00:00', expect.stringMatching(/5/)],
      ['05-05T03:00', '03:00'],
      ['05-05T06:00', '06:00'],
    ])
  })

  test('has beginnings of days over longer times, at most so many', () => {
    expect(ticks('2026-05-04T20:15Z', '2026-05-10T12:00Z', 3).map(([time]) => time)).toEqual([
      '05-06T00:00',
      '05-08T00:00',
      '05-10T00:00',
    ])
    expect(timeTicks(0, 40 * 365 * 86_400_000, 4).length).toBeLessThanOrEqual(5)
  })

  test('is empty where there is no time', () => {
    expect(ticks('2026-05-04T20:15Z', '2026-05-04T20:15Z', 4)).toEqual([])
  })
})
