import { expect, test } from 'vitest'
import type { Standing } from '../overview/standing.ts'
import { loudest } from './title.ts'

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

test('the title says what is loudest, and how many are paused', () => {
  expect(loudest([])).toBe('no assets yet')
  expect(loudest([standing('BTC'), standing('ETH')])).toBe('all idle')
  expect(loudest([standing('BTC'), standing('ETH', { level: 'aim', held: true })])).toBe('ETH aim held')
  expect(loudest([standing('BTC', { status: 'paused' }), standing('ETH', { level: 'bang' })])).toBe(
    'ETH bang, 1 paused',
  )
  expect(loudest([standing('BTC', { status: 'paused' })])).toBe('all paused')
})

test('a level of old data is not in the title', () => {
  const bang = standing('BTC', { level: 'bang', status: 'stale' })
  expect(loudest([bang, standing('ETH')])).toBe('all idle, 1 stale')
  expect(loudest([{ ...bang, status: 'ended' }])).toBe('BTC bang, all ended')
  expect(loudest([{ ...bang, status: 'ended' }, standing('ETH')])).toBe('all idle, 1 ended')
})
