import { expect, test } from 'vitest'
import {
  formatApart,
  formatBarTime,
  formatBarUtc,
  formatChange,
  formatConfidence,
  formatDelay,
  formatNumber,
  formatPercent,
  formatSize,
  formatThreshold,
  unbroken,
} from './format.ts'
import { setZone } from './zone.ts'

test('a number keeps its whole digits and has no exponent', () => {
  expect(formatNumber(67_123.456, 4)).toBe('67,123')
  expect(formatNumber(996.596, 4)).toBe('996.6')
  expect(formatNumber(0.00000811, 4)).toBe('0.00000811')
  expect(formatNumber(1.23456e-9, 3)).toBe('0.00000000123')
  expect(formatNumber(-0, 4)).toBe('0')
})

test('a fraction is said in percent, without the dust of binary fractions', () => {
  expect(formatPercent(0.015)).toBe('1.5 %')
  expect(formatPercent(0.00002935)).toBe('0.002935 %')
  expect(formatPercent(0.011, 17)).toBe('1.1 %')
})

test('a confidence is never said to be on another side of a threshold', () => {
  const thresholds = [50, 70, 80]
  expect(formatConfidence(0.551, thresholds)).toBe('55.1 %')
  expect(formatConfidence(0.4996, thresholds)).toBe('49.96 %')
  expect(formatConfidence(0.499999, thresholds)).toBe('49.9999 %')
  expect(formatConfidence(0.5, thresholds)).toBe('50.0 %')
  expect(formatConfidence(0.57, thresholds)).toBe('57.0 %')
  expect(formatConfidence(0.5003, [50.02])).toBe('50.03 %')
  expect(formatThreshold(50.02)).toBe('50.02')
})

test('two values are told apart, equal ones are not', () => {
  expect(formatApart(0.01499996, 0.015, formatPercent)).toEqual(['1.499996 %', '1.5 %'])
  expect(formatApart(0.015, 0.015, formatPercent)).toEqual(['1.5 %', '1.5 %'])
})

test('a change says its direction, and none when there is none to say', () => {
  expect(formatChange(0.0125)).toBe('+1.25 %')
  expect(formatChange(-0.003)).toBe('-0.30 %')
  expect(formatChange(-0.000001)).toBe('0.00 %')
})

test('a size has no needless digits', () => {
  expect(formatSize(13)).toBe('13 %')
  expect(formatSize(0.5)).toBe('0.5 %')
})

test('a delay is said as precisely as it matters', () => {
  expect([0, 0.04, 0.16, 3.21, 9.99, 75].map(formatDelay)).toEqual([
    '< 0.1 s',
    '< 0.1 s',
    '0.2 s',
    '3.2 s',
    '10 s',
    '1 min',
  ])
})

test('a bar says its year where it is not that of today, and always in UTC', () => {
  setZone('utc')
  const today = Date.parse('2026-05-04T12:00:00Z')
  expect(formatBarTime('2026-01-01T00:00:00Z', today)).not.toContain('2026')
  expect(formatBarTime('2025-12-31T23:45:00Z', today)).toContain('2025')
  expect(formatBarTime('2022-08-14T02:00:00Z', today)).toContain('2022')
  expect(formatBarUtc('2026-01-01T00:00:00Z')).toMatch(/2026.* UTC$/)
})

test('a figure and its unit stay in one line', () => {
  expect(unbroken('about 80,000 bars (823 d), +0.00031 %. 5 days, 12 h')).toBe(
    'about 80,000 bars (823\u00a0d), +0.00031\u00a0%. 5 days, 12\u00a0h',
  )
})
