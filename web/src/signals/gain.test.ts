import { expect, test } from 'vitest'
import { decimalsFor, formatGain, formatPart } from './gain.ts'

test('gains have their sign and three significant digits, but no more decimals than matter', () => {
  expect([12.345, -1.2, 0.0123, -0.00202, 0].map((gain) => formatGain(gain))).toEqual([
    '+12.35 %',
    '-1.20 %',
    '+0.0123 %',
    '-0.0020 %',
    '0 %',
  ])
  expect(formatGain(-0.00001), 'what is rounded to nothing has no sign').toBe('0.0000 %')
  expect(formatPart(0.0751)).toBe('0.0751 %')
})

test('gains below each other have the decimals that the largest needs', () => {
  const gains = [-0.00123, 0.0000412, 0.000009]
  expect(gains.map((gain) => formatGain(gain, decimalsFor(gains)))).toEqual(['-0.00123 %', '+0.00004 %', '+0.00001 %'])
  expect(decimalsFor([0, 0])).toBe(2)
})
