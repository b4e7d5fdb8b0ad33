import { expect, test } from 'vitest'
import type { CheckExplanation } from 'vivienne-client'
import { blocksWords, formatMeasure } from './measures.ts'

const check = (part: Partial<CheckExplanation>) =>
  ({ scenario: '', met: false, value: 0, path: null, ...part }) as CheckExplanation

test('parts of one are read in percent, signs in words, other figures as they are', () => {
  expect(formatMeasure('bandwidth', 0.015)).toBe('1.5 %')
  expect(formatMeasure('trend in the direction of the entry', -1)).toBe('against it')
  expect(formatMeasure('average trade', 996.596)).toBe('996.6')
  expect(formatMeasure('average trade', null)).toBe('unknown')
})

test('a threshold is named, a mere sign is put into words', () => {
  const path = 'filters.volatility.volatility_squeeze_threshold'
  expect(blocksWords(check({ measure: 'bandwidth', relation: '<', threshold: 0.015, path }))).toEqual({
    words: 'below',
    threshold: '1.5 %',
  })
  expect(blocksWords(check({ measure: 'close over VWAP', relation: '>', threshold: 0 }))).toEqual({
    words: 'if above',
    threshold: null,
  })
})

test('a measure that is newer than this page is shown as it is called', () => {
  expect(blocksWords(check({ measure: 'spread', relation: '>', threshold: 0 }))).toEqual({
    words: 'above',
    threshold: '0',
  })
})
