import { expect, test } from 'vitest'
import type { AssetData } from 'vivienne-client'
import { formatConfidence } from './format.ts'
import { limitsOf } from './limits.ts'

const state = (path: string, to: number | boolean) =>
  ({
    agents: {
      VivienneAgent: {
        config: { settings: { state_threshold_loaded: 50, state_threshold_aim: 70, state_threshold_bang: 80 } },
        data: { explanation: { nearest_change: { changes: [{ path, from: 50, to }] } } },
      },
    },
  }) as unknown as AssetData

test('a confidence is told from the threshold that the nearest change would set', () => {
  const limits = limitsOf(state('settings.state_threshold_loaded', 69.3))
  expect(limits).toEqual([50, 70, 80, 69.3])
  expect(formatConfidence(0.6928, limits)).toBe('69.28 %')
})

test('a change of another value is none of a threshold', () => {
  expect(limitsOf(state('filters.trend.enable_trend_filter_for_entry', false))).toEqual([50, 70, 80])
  expect(limitsOf(undefined)).toEqual([])
})
