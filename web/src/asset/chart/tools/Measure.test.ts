import { expect, test } from 'vitest'
import { measureWords } from './Measure.tsx'

test('a measurement says bars, time, difference and percent', () => {
  expect(measureWords(12, 64_000, 64_120, '15m', 2)).toBe('12 bars, 3 h, +120.00, +0.19 %')
  expect(measureWords(-1, 64_000, 63_360, '1h', 2)).toBe('−1 bar, 60 min, −640.00, -1.00 %')
})
