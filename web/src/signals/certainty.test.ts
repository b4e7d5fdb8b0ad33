import { describe, expect, test } from 'vitest'
import { certainty, luckOf, meanOf, verdictOf } from './certainty.ts'

describe('how sure a fraction is', () => {
  test('is the score interval of Wilson', () => {
    // With z = 1.959964.
    const { rate, low, high } = certainty(20, 81, 1)
    expect(rate).toBeCloseTo(0.24691, 5)
    expect(low).toBeCloseTo(0.1659, 3)
    expect(high).toBeCloseTo(0.3508, 3)
    expect(certainty(0, 3, 1)).toMatchObject({ low: 0 })
    expect(certainty(3, 3, 1).high).toBeCloseTo(1)
  })

  test('is said only beyond a half, and in a table of many rows only further beyond it', () => {
    expect(verdictOf(certainty(20, 81, 1))).toBe('fewer')
    expect(verdictOf(certainty(61, 81, 1))).toBe('more')
    expect(verdictOf(certainty(3, 3, 1))).toBe('unknown')
    expect(verdictOf(certainty(6, 6, 1))).toBe('more')
    expect(verdictOf(certainty(6, 6, 24))).toBe('unknown')
  })
})

test('the mean of trades comes with what luck alone gives', () => {
  const { mean, luck } = meanOf([1, -1, 1, -1, 1])
  expect(mean).toBeCloseTo(0.2)
  expect(luck).toBeCloseTo(2 * Math.sqrt(1.2 / 5))
})

test('luck moves the mean of few values far, and further in one of many rows', () => {
  expect(luckOf(2, 16, 1)).toBeCloseTo(0.98, 2)
  expect(luckOf(2, 64, 1)).toBeCloseTo(0.49, 2)
  expect(luckOf(2, 16, 8)).toBeCloseTo(1.367, 2)
})
