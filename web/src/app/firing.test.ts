import { expect, test } from 'vitest'
import { firing, type Standing } from '../overview/standing.ts'
import { firingWords } from './firing.ts'

function standing(asset: string, change: Partial<Standing> = {}): Standing {
  return {
    asset,
    level: 'idle',
    held: false,
    side: 'none',
    holders: [],
    gap: 20,
    status: 'live',
    exchange: null,
    feedStatus: null,
    trouble: null,
    version: 1,
    ...change,
  }
}

test('what is at aim or bang is named, the most urgent first, and nothing else', () => {
  const fired = firing([
    standing('ETH', { level: 'aim', held: true }),
    standing('SOL', { level: 'loaded' }),
    standing('BTC', { level: 'bang' }),
    standing('XRP', { level: 'aim' }),
  ])
  expect(firingWords(fired)).toBe('BTC bang, XRP aim, ETH aim held')
})

test('old data fires nothing', () => {
  expect(firing([standing('BTC', { level: 'bang', status: 'ended' })])).toEqual([])
  expect(firingWords([])).toBe('No asset at aim or bang')
})
