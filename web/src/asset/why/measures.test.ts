import { expect, test } from 'vitest'
import type { CheckExplanation } from 'vivienne-client'
import { checkWords, formatFigure, measureWords } from './measures.ts'

const check = (part: Partial<CheckExplanation>) => ({ met: false, value: 0, path: null, ...part }) as CheckExplanation

test('the unit decides how a figure reads', () => {
  expect(formatFigure('fraction', 0.015)).toBe('1.5 %')
  expect(formatFigure('direction', -1)).toBe('against it')
  expect(formatFigure('price_difference', 1.25)).toBe('+1.25')
  expect(formatFigure('quote', 996.596)).toBe('996.6')
  expect(formatFigure('quote', null)).toBe('unknown')
})

test('a threshold is named, a mere direction is put into words', () => {
  const path = 'filters.volatility.volatility_squeeze_threshold'
  expect(checkWords(check({ unit: 'fraction', relation: '<', value: 0.0125, threshold: 0.015, path }))).toEqual({
    words: 'below',
    value: '1.25 %',
    threshold: '1.5 %',
  })
  expect(checkWords(check({ unit: 'direction', relation: '<', value: -1, threshold: 0 }))).toEqual({
    words: 'if against it',
    value: 'against it',
    threshold: null,
  })
})

test('a value has the digits that tell it from its threshold', () => {
  expect(checkWords(check({ unit: 'fraction', relation: '<', value: 0.01499996, threshold: 0.015 }))).toMatchObject({
    value: '1.499996 %',
    threshold: '1.5 %',
  })
  expect(checkWords(check({ unit: 'per_minute', relation: '>=', value: null, threshold: 100 }))).toMatchObject({
    value: 'unknown',
    threshold: '100 /min',
  })
})

test('a unit that is newer than this page leaves the figure as it is', () => {
  expect(checkWords(check({ unit: 'lots' as 'quote', relation: '>', threshold: 0 }))).toEqual({
    words: 'above',
    value: '0',
    threshold: '0',
  })
})

test('a measure this page has no short form for is shown as the server puts it', () => {
  expect(measureWords({ id: 'trend_ahead', measure: 'whatever the server says' })).toBe('trend')
  expect(measureWords({ id: 'spread', measure: 'spread in ticks' })).toBe('spread in ticks')
})
