import { expect, test } from 'vitest'
import type { RevisionEntry } from 'vivienne-client'
import { undoable } from './together.ts'

function entry(version: number, asset: string | null, more: Partial<RevisionEntry> = {}): RevisionEntry {
  const made = { created_at: '2026-03-01T12:00:00Z', author: 'ana', channel: 'rest', trace_id: 'a', is_active: true }
  return { version, asset_symbol: asset, config_id: `c${version}`, changed: [{}], ...made, ...more } as RevisionEntry
}

test('a change of several layers can be undone as a whole while nothing of it was changed again', () => {
  const later = { trace_id: 'b' }
  const entries = [entry(5, 'BTC', later), entry(4, 'ETH', later), entry(3, 'BTC', { trace_id: 'c' }), entry(2, 'SOL')]
  const found = undoable(entries, true, true)
  expect([...found.keys()]).toEqual([5])
  expect(found.get(5)).toEqual({ layers: ['ETH', 'BTC'], versions: [4, 5], whole: true, configId: 'c5', values: 2 })
  expect(undoable([entry(5, 'BTC'), entry(4, 'ETH', { is_active: false })], true, false).size).toBe(0)
})

test('of a change at the end of the list, or in a filtered one, there may be more', () => {
  const entries = [entry(5, 'BTC'), entry(4, null)]
  expect(undoable(entries, true, false).get(5)?.whole).toBe(true)
  expect(undoable(entries, true, true).get(5)?.whole).toBe(false)
  expect(undoable(entries, false, false).get(5)?.whole).toBe(false)
})
