import { describe, expect, it } from 'vitest'
import { besideWords, boundsWords, readingOf, sizeWords, unitWords, valueWords } from './reading.ts'

const number = { path: 'p', title: 'P', description: '', kind: 'number' as const }

describe('the reading beside a value', () => {
  it('says a fraction in percent', () => {
    expect(readingOf({ unit: 'fraction of price' }, 0.015)).toBe('1.5 %')
    expect(readingOf({ unit: 'fraction of volume' }, 0.07)).toBe('7 %')
    expect(readingOf({ unit: 'percent of equity' }, 0.7329007349951642)).toBe('≈ 0.7329 %')
  })

  it('says bars in time when the timeframe is known', () => {
    expect(readingOf({ unit: 'bars' }, 20, '15m')).toBe('5 h')
    expect(readingOf({ unit: 'bars' }, 200, '15m')).toBe('≈ 2.08 d')
    expect(readingOf({ unit: 'bars' }, 20)).toBeNull()
  })

  it('gives way to what was understood, where it is typed in another way', () => {
    expect(besideWords('0.015', 0.015, '1.5 %')).toBe('= 1.5 %')
    expect(besideWords('1.5 %', 0.015, '1.5 %')).toBe('= 0.015')
    expect(besideWords('0,25', 0.25, null)).toBe('= 0.25')
    expect(besideWords('20', 20, '≈ 5 h')).toBe('≈ 5 h')
    expect(besideWords('x', null, null)).toBeNull()
  })

  it('is not there for what is no number', () => {
    expect(readingOf({ unit: 'fraction of price' }, '0.0x')).toBeNull()
  })
})

describe('a value in a difference', () => {
  it('has its reading only where that says something else', () => {
    expect(valueWords({ ...number, unit: 'fraction of price' }, 0.015)).toBe('0.015 (1.5 %)')
    expect(valueWords({ ...number, unit: 'percent of equity' }, 0.5)).toBe('0.5')
    expect(valueWords({ ...number, kind: 'boolean' }, false)).toBe('off')
    expect(valueWords(undefined, undefined)).toBe('nothing')
  })
})

describe('bounds and unit', () => {
  it('are said once', () => {
    const weight = { ...number, unit: 'weight, 0 to 1', minimum: 0, maximum: 1 }
    expect(boundsWords(weight)).toBe('0 to 1')
    expect(unitWords(weight)).toBe('weight')
  })
})

it('says a size once where it stays, and twice where it changes', () => {
  expect(sizeWords(0.5, 0.5)).toBe('0.5 %')
  expect(sizeWords(0.5, 13)).toBe('0.5 → 13 %')
})
