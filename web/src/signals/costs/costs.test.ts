import { expect, test } from 'vitest'
import { costIn, costsOf } from './costs.ts'

test('a cost is a number of basis points, with a point or a comma; what cannot be taken says what would be', () => {
  expect(costIn(' 7,5 ')).toEqual({ cost: 7.5 })
  expect(costIn('.5')).toEqual({ cost: 0.5 })
  expect(costIn('0')).toEqual({ cost: 0 })
  expect(costIn('1000')).toEqual({ cost: 1000 })
  expect(costIn('')).toEqual({})
  for (const typed of ['1001', '-1', '1e2', '1,000.5', 'ten', '0.1 %'])
    expect(costIn(typed)).toEqual({ wrong: 'A number from 0 to 1,000, e.g. 7.5' })
})

test('what an address says wrongly counts as not said, so that the costs of the server are taken', () => {
  expect(costsOf(new URLSearchParams('fee=7.5&slippage=-1'))).toEqual({ fee: 7.5 })
  expect(costsOf(new URLSearchParams('fee=&slippage=0'))).toEqual({ slippage: 0 })
  expect(costsOf(new URLSearchParams())).toEqual({})
})
