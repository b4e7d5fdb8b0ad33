import { expect, test } from 'vitest'
import type { ChartBar } from 'vivienne-client'
import { type DrawnDecision, decisionOn, entries, isDecided, statusWords } from './decisions.ts'

const decision = (level: 'loaded' | 'aim' | 'bang', more: Partial<DrawnDecision> = {}): DrawnDecision => ({
  level,
  side: 'long',
  held: false,
  status: 'live',
  recomputed: false,
  ...more,
})

test('a held entry has the level its confidence earns', () => {
  const bar = {
    clarity_level: 'loaded',
    raw_clarity_level: 'bang',
    side: 'long',
    held: true,
    status: 'live',
    recomputed: true,
  } as ChartBar
  expect(decisionOn(bar)).toEqual(decision('bang', { held: true, recomputed: true }))
})

test('an entry begins where the level, the side or its being held changes, not on every bar', () => {
  const found = entries([
    decision('loaded'),
    decision('aim'),
    decision('aim'),
    decision('aim', { held: true }),
    decision('bang'),
    decision('bang', { side: 'short' }),
  ])
  expect(found.map((entry) => entry.index)).toEqual([1, 3, 4, 5])
})

test('a decision during a pause is no entry; the first one after it is', () => {
  const found = entries([decision('aim', { status: 'paused' }), decision('aim', { status: 'paused' }), decision('aim')])
  expect(found.map((entry) => entry.index)).toEqual([2])
})

test('a bar without a decision says why', () => {
  expect([isDecided({ status: 'warming_up' }), isDecided({ status: 'paused' })]).toEqual([false, true])
  expect(statusWords({ status: 'undecidable' })).toMatch(/^not decided: /)
  expect(statusWords({ status: 'live' })).toBeNull()
})
