import { expect, test } from 'vitest'
import { markWeight } from './ZonedTimeScale.ts'

// Local times, whatever the zone of the machine.
const local = (day: number, hour: number, minute = 0) => new Date(2026, 4, day, hour, minute)

test('a day begins at local midnight', () => {
  expect(markWeight(local(5, 0), local(4, 23, 45))).toBe(50)
})

test('months and years count more than days', () => {
  expect(markWeight(local(1, 0), new Date(2026, 3, 30, 23))).toBe(60)
  expect(markWeight(new Date(2026, 0, 1), new Date(2025, 11, 31))).toBe(70)
})

test('rounder times of the local clock count more', () => {
  const weights = [local(5, 12), local(5, 6), local(5, 9), local(5, 7), local(5, 7, 30), local(5, 7, 15)].map((time) =>
    markWeight(time, new Date(Number(time) - 60_000)),
  )
  expect(weights).toEqual([33, 32, 31, 30, 22, 21])
})
