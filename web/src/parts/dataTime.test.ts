import { expect, test } from 'vitest'
import type { AssetData, AssetState } from 'vivienne-client'
import { dataTime } from './dataTime.ts'

function state(data: Partial<AssetState>): AssetData {
  return { timestamp: '2026-01-01T12:00:30.400Z', agents: { VivienneAgent: { data } } } as unknown as AssetData
}

const at = (clock: string) => Date.parse(`2026-01-01T${clock}Z`)

test('data came as long before its state as it was old then', () => {
  expect(dataTime(state({ status: 'live', data_age: 0.2 }))).toBe(at('12:00:30'))
  expect(dataTime(state({ status: 'stale', data_age: 13.5 }))).toBe(at('12:00:16'))
  expect(dataTime(state({ status: 'paused', data_age: 3600 }))).toBe(at('11:00:30'))
})

test('before there is data there is no time of it', () => {
  expect(dataTime(state({ status: 'stale', data_age: null }))).toBeNull()
  expect(dataTime({ ...state({}), agents: {} })).toBeNull()
})

test('once a replay is over it is when the state was made', () => {
  expect(dataTime(state({ status: 'ended', data_age: null }))).toBe(at('12:00:30'))
})
