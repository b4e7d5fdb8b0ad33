import { expect, test } from 'vitest'
import type { FieldSpec } from '../../src/draft/sections.js'
import { measure, shown } from '../../src/react/wording.js'

test('numbers are written as by hand: every digit, no exponent, thousands apart', () => {
  expect([1e-7, -1.5e-7, 0.015, 1234567.25, -12345].map(shown)).toEqual([
    '0.0000001',
    '-0.00000015',
    '0.015',
    '1 234 567.25',
    '-12 345',
  ])
  expect(measure({ unit: 'quote', minimum: 1e-7, maximum: 1e6 } as FieldSpec)).toBe('quote, 0.0000001 to 1 000 000')
})
