import { expect, test } from 'vitest'
import type { ChartBar } from 'vivienne-client'
import { decisionOn, entries } from './decisions.ts'

const decision = (level: 'loaded' | 'aim' | 'bang', side: 'long' | 'short' = 'long', held = false) => ({
  level,
  side,
  held,
})

test('a held entry has the level its confidence earns', () => {
  const bar = { clarity_level: 'loaded', raw_clarity_level: 'bang', side: 'long', blocked: true } as ChartBar
  expect(decisionOn(bar)).toEqual({ level: 'bang', side: 'long', held: true })
})

test('a filter that blocks where nothing would be entered holds nothing', () => {
  const bar = { clarity_level: 'idle', raw_clarity_level: 'idle', side: 'long', blocked: true } as ChartBar
  expect(decisionOn(bar)).toEqual({ level: 'idle', side: 'long', held: false })
})

test('an entry begins where the level, the side or its being held changes, not on every bar', () => {
  const found = entries([
    decision('loaded'),
    decision('aim'),
    decision('aim'),
    decision('aim', 'long', true),
    decision('bang'),
    decision('bang', 'short'),
  ])
  expect(found.map((entry) => entry.index)).toEqual([1, 3, 4, 5])
})
