import { expect, test } from 'vitest'
import { formatPrice } from './format.ts'
import { priceDigits, Ticks, tickDigits } from './ticks.ts'

const shown = (...prices: number[]) => prices.map((price) => formatPrice(price, priceDigits(prices)))

test('a price is shown to its tick, from the cheapest coin to the dearest', () => {
  expect(shown(0.00000811, 0.0000081)).toEqual(['0.00000811', '0.00000810'])
  expect(shown(1.23e-9, 1.2e-9)).toEqual(['0.00000000123', '0.00000000120'])
  expect(shown(0.0734)).toEqual(['0.0734'])
  expect(shown(67_123.5, 67_124)).toEqual(['67,123.5', '67,124.0'])
  expect(shown(9_876_543, 1e7)).toEqual(['9,876,543', '10,000,000'])
  expect(shown(187.5)).toEqual(['187.50'])
})

test('a computed price gets five significant digits', () => {
  expect(shown(187.1300048828125)).toEqual(['187.13'])
  expect(shown(0.0000081123456789)).toEqual(['0.0000081123'])
  expect(shown(67_123.45678901234)).toEqual(['67,123'])
})

test('digits of an asset only get more, so that no price changes its width', () => {
  const ticks = new Ticks()
  expect(ticks.digits('BTC')).toBe(2)
  ticks.learn('BTC', [67_123.45])
  ticks.learn('BTC', [67_124])
  ticks.learn('DOGE', [0.07341])
  expect([ticks.digits('BTC'), ticks.digits('DOGE')]).toEqual([2, 5])
})

test('a tick size says the digits, whatever the prices look like', () => {
  expect([1e-8, 0.00025, 0.01, 0.5, 1, 10].map(tickDigits)).toEqual([8, 5, 2, 1, 0, 0])
  const ticks = new Ticks()
  ticks.learn('BTC', [67_123.4567])
  ticks.know('BTC', null)
  expect(ticks.digits('BTC')).toBe(4)
  ticks.know('BTC', 0.1)
  ticks.learn('BTC', [67_123.4567])
  expect(ticks.digits('BTC')).toBe(1)
})
