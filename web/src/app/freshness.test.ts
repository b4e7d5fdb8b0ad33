import { expect, test } from 'vitest'
import type { AssetData, AssetState } from 'vivienne-client'
import { freshnessOf } from './freshness.ts'

const NOW = Date.parse('2026-01-01T12:01:00Z')
const state = (clock: string, data: Partial<AssetState> = {}) =>
  ({
    timestamp: `2026-01-01T${clock}Z`,
    agents: { VivienneAgent: { data: { status: 'live', data_age: 0, data_age_limit: 13, ...data } } },
  }) as unknown as AssetData

test('the page is as old as its newest data by the clock of the server', () => {
  const found = freshnessOf([state('12:00:20'), state('12:00:28', { data_age: 1 })], NOW, 31_000)
  expect(found).toEqual({ age: 33_000, delay: 31_000, ended: false, old: true, troubled: false })
})

test('the page is in trouble when every asset is, whether it is paused or not', () => {
  const trouble = { id: 'exchange' as const, message: 'Bybit is in maintenance' }
  const [stale, paused] = [
    state('12:00:59', { status: 'stale', trouble }),
    state('12:00:59', { status: 'paused', trouble }),
  ]
  expect(freshnessOf([stale, paused], NOW, 0).troubled).toBe(true)
  expect(freshnessOf([stale, state('12:00:59', { trouble: null })], NOW, 0).troubled).toBe(false)
  expect(freshnessOf([], NOW, 0).troubled).toBe(false)
})

test('data is old when the server itself would call it stale', () => {
  const slow = state('12:00:20', { data_age_limit: 150 })
  expect(freshnessOf([slow], NOW, 0).old).toBe(false)
})

test('a replay is over when that of every asset is', () => {
  const over = state('12:00:00', { status: 'ended', data_age: null })
  expect(freshnessOf([over], NOW, null)).toMatchObject({ age: null, ended: true, old: false })
  expect(freshnessOf([over, state('12:00:59')], NOW, null)).toMatchObject({ age: 1_000, ended: false })
  expect(freshnessOf([], NOW, null)).toMatchObject({ age: null, ended: false })
})
