import { expect, test } from 'vitest'
import { byUrgency, countsOf, isHeld, type Standing } from './standing.ts'

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

function sorted(...standings: Standing[]): string[] {
  return [...standings].sort(byUrgency).map((one) => one.asset)
}

test('the loudest level comes first, whatever the gap', () => {
  const order = sorted(
    standing('IDLE', { gap: 1 }),
    standing('BANG', { level: 'bang', gap: 19 }),
    standing('LOADED', { level: 'loaded', gap: 12 }),
    standing('AIM', { level: 'aim', gap: 9 }),
  )
  expect(order).toEqual(['BANG', 'AIM', 'LOADED', 'IDLE'])
})

test('a held one ranks by the level it would have, below the free ones of that level', () => {
  const order = sorted(
    standing('AIM', { level: 'aim', gap: 1 }),
    standing('HELD', { level: 'bang', held: true, gap: 2 }),
    standing('BANG', { level: 'bang', gap: 15 }),
  )
  expect(order).toEqual(['BANG', 'HELD', 'AIM'])
})

test('within a level the one that misses least comes first, then the name', () => {
  expect(sorted(standing('C', { gap: 9 }), standing('B', { gap: 3 }), standing('A', { gap: 9 }))).toEqual([
    'B',
    'A',
    'C',
  ])
})

test('assets without data stand below those that can fire', () => {
  expect(sorted(standing('A', { status: 'stale', gap: 1 }), standing('B'))).toEqual(['B', 'A'])
})

test('every asset is counted once, and the four levels are always there', () => {
  const counts = countsOf([
    standing('A', { level: 'bang' }),
    standing('B', { level: 'bang', held: true }),
    standing('C', { status: 'stale' }),
    standing('D'),
  ])
  expect(counts).toEqual([
    { word: 'bang', count: 1 },
    { word: 'aim', count: 0 },
    { word: 'held', count: 1 },
    { word: 'loaded', count: 0 },
    { word: 'idle', count: 1 },
    { word: 'stale', count: 1 },
  ])
})

test('a filter that blocks an idle asset holds nothing', () => {
  expect(isHeld({ blocked_by: ['trend'], raw_clarity_level: 'idle' })).toBe(false)
  expect(isHeld({ blocked_by: ['trend'], raw_clarity_level: 'loaded' })).toBe(true)
})
