import { describe, expect, it } from 'vitest'
import { numeral } from '../../src/draft/numerals.js'

function values(texts: readonly string[], unit?: string): unknown[] {
  return texts.map((text) => {
    const found = numeral(text, unit)
    return 'value' in found ? found.value : found.problem
  })
}

describe('a number is read as it is meant', () => {
  it('with a point, a sign or an exponent', () => {
    const texts = ['80', '0.0150', '.5', '1.', '-0.3', '+2', '1e-3', ' 7 ', '\u22125', '1.5e2']
    expect(values(texts)).toEqual([80, 0.015, 0.5, 1, -0.3, 2, 0.001, 7, -5, 150])
  })

  it('with a decimal comma', () => {
    expect(values(['0,25', '0,015', ',5', '1,', '12,5', '1,2345', '1234,567'])).toEqual([
      0.25, 0.015, 0.5, 1, 12.5, 1.2345, 1234.567,
    ])
  })

  it('with thousands apart', () => {
    const texts = [
      '1 000 000',
      '1\u00a0234.5',
      '1\u202f234,567',
      "12'500",
      '1,234.5',
      '1.234,5',
      '1,000,000',
      '1.000.000',
    ]
    expect(values(texts)).toEqual([1_000_000, 1234.5, 1234.567, 12_500, 1234.5, 1234.5, 1_000_000, 1_000_000])
  })

  it('with a percent sign, by the unit of the field, to the last digit', () => {
    const texts = ['1.5%', '0,7 %', '29 %', '1,5 %']
    expect(values(texts, 'fraction of price')).toEqual([0.015, 0.007, 0.29, 0.015])
    expect(values(texts, 'percent of equity')).toEqual([1.5, 0.7, 29, 1.5])
    expect(values(['55,5 %'], 'confidence, 0 to 100')).toEqual([55.5])
  })
})

describe('a text is refused with words', () => {
  it('where it may mean two numbers', () => {
    expect(values(['1,234', '-12,000'])).toEqual([
      'must be clear: “1,234” can mean 1234 or 1.234; type one of them',
      'must be clear: “-12,000” can mean -12000 or -12; type one of them',
    ])
  })

  it('where its unit has no percentage', () => {
    expect(values(['5 %'], 'bars')).toEqual(['is not a percentage but in bars; type it without %'])
  })

  it('where thousands are not apart as thousands are', () => {
    expect(values(['1 00'])).toEqual([
      'must be a number; “1 00” has a blank or an apostrophe that does not stand between thousands',
    ])
    expect(values(['1,23,456.5', '1.23.4', '0,000,001', '1,2,3'])).toEqual(Array(4).fill('must be a number'))
  })

  it('while it is unfinished, or no number', () => {
    expect(values(['', '-', '.', ',', '1e', '0x10', 'Infinity', '%', 'x', '1e999'])).toEqual(
      Array(10).fill('must be a number'),
    )
  })
})
