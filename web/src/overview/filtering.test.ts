import { expect, test } from 'vitest'
import { holdersOf, ORDERS, type OverviewFilter, passes, sidesOf } from './filtering.ts'
import type { Standing } from './standing.ts'

const volatility = { id: 'volatility', title: 'Volatility' }
const trend = { id: 'trend', title: 'Trend' }

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

const BANG = standing('BANG', { level: 'bang', side: 'long' })
const HELD = standing('HELD', { level: 'bang', held: true, side: 'short', holders: [volatility, trend] })
const OTHER = standing('OTHER', { level: 'aim', held: true, side: 'long', holders: [volatility] })
const STALE = standing('STALE', { status: 'stale' })
const ALL = [STALE, OTHER, BANG, HELD]

function through(filter: Partial<Record<'words' | 'sides' | 'holders', string[]>>, name = ''): string[] {
  const made: OverviewFilter = {
    words: new Set(filter.words),
    sides: new Set(filter.sides),
    holders: new Set(filter.holders),
    name,
  }
  return ALL.filter((one) => passes(one, made)).map(({ asset }) => asset)
}

test('words of one kind let more through, words of another kind less', () => {
  expect(through({})).toHaveLength(4)
  expect(through({ words: ['bang', 'stale'] })).toEqual(['STALE', 'BANG'])
  expect(through({ words: ['held'], sides: ['long'] })).toEqual(['OTHER'])
  expect(through({ holders: ['trend'] })).toEqual(['HELD'])
  expect(through({ holders: ['volatility'] }, 'OT')).toEqual(['OTHER'])
})

test('it is said how many each filter holds, the busiest first, and how many are on each side', () => {
  expect(holdersOf(ALL)).toEqual([
    { ...volatility, count: 2 },
    { ...trend, count: 1 },
  ])
  expect(sidesOf(ALL).map(({ count }) => count)).toEqual([2, 1, 1])
})

test('the list is sorted by level in force, side, what holds and status', () => {
  const sorted = (order: keyof typeof ORDERS) => [...ALL].sort(ORDERS[order].compare).map(({ asset }) => asset)
  expect(sorted('level')[0]).toBe('BANG')
  expect(sorted('side')).toEqual(['BANG', 'OTHER', 'HELD', 'STALE'])
  expect(sorted('holder').slice(0, 2)).toEqual(['HELD', 'OTHER'])
  expect(sorted('status')[0]).toBe('STALE')
})
