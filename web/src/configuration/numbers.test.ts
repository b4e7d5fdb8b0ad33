import { describe, expect, it } from 'vitest'
import { numeral } from 'vivienne-client/draft'
import { figure, plainNumber, stepped } from './numbers.ts'

describe('what is shown', () => {
  it('has no exponent where it is typed', () => {
    expect([0.0000001, 1.5e-9, 1e21, 0.015, -2e-7].map(plainNumber)).toEqual([
      '0.0000001',
      '0.0000000015',
      '1000000000000000000000',
      '0.015',
      '-0.0000002',
    ])
  })

  it('keeps thousands apart where it is read, and can be typed back', () => {
    expect(figure(1_000_000_000)).toBe('1\u00a0000\u00a0000\u00a0000')
    expect(figure(1234.5678)).toBe('1\u00a0234.5678')
    expect(numeral(figure(1_000_000_000))).toEqual({ value: 1_000_000_000 })
  })
})

describe('stepping', () => {
  it('leaves no dust', () => {
    expect(stepped(0.1, 2, { step: 0.1 })).toBe(0.3)
    expect(stepped(0.015, 1, { step: 0.001 })).toBe(0.016)
    expect(stepped(0.0153, 1, { step: 0.001 })).toBe(0.0163)
  })

  it('stops at the bounds', () => {
    expect(stepped(100, 1, { step: 1, minimum: 0, maximum: 100 })).toBe(100)
    expect(stepped(0.0002, -1, { step: 0.001, minimum: 0 })).toBe(0)
  })
})
