import { expect, test } from 'vitest'
import { formatChange, formatSize } from './figures.tsx'

test('a change says its direction, and none when there is none to say', () => {
  expect(formatChange(0.0125)).toBe('+1.25 %')
  expect(formatChange(-0.003)).toBe('-0.30 %')
  expect(formatChange(-0.000001)).toBe('0.00 %')
})

test('a size has no needless digits', () => {
  expect(formatSize(13)).toBe('13 %')
  expect(formatSize(0.5)).toBe('0.5 %')
})
