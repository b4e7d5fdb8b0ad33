import { describe, expect, test } from 'vitest'
import { spanOfCloses, spanWords } from './span.ts'
import { sparklinePath } from './sparkline.ts'

describe('sparklinePath', () => {
  test('goes from left to right, the highest value on top', () => {
    expect(sparklinePath([1, 3, 2], 100, 20)).toBe('M0 20L50 0L100 10')
  })

  test('a market that stands still is a line in the middle', () => {
    expect(sparklinePath([5, 5], 100, 20)).toBe('M0 10L100 10')
  })

  test('one value makes no line', () => {
    expect(sparklinePath([5], 100, 20)).toBe('')
  })
})

test('spanWords says how long the bars take together', () => {
  expect(spanWords(48, '15m')).toBe('12 h')
  expect(spanWords(48, '1m')).toBe('48 min')
  expect(spanWords(48, '1h')).toBe('2 d')
  expect(spanWords(48, '3x')).toBe('48 bars')
})

test('the closes of an asset without any cover no time, and those of the others do', () => {
  expect(spanOfCloses([{ closes: [] }, { closes: [1, 2, 3, 4] }], '15m')).toBe('60 min')
  expect(spanOfCloses([{ closes: [] }], '15m')).toBe('')
  expect(spanOfCloses([], '15m')).toBe('')
})
