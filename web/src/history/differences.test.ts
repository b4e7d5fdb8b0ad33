import { expect, it } from 'vitest'
import { differences } from './differences.ts'

it('lists what two documents say differently, with the side left out that says nothing', () => {
  const old = { settings: { state_threshold_bang: 80, state_threshold_aim: 70 }, signal_weights: { rsi: 0.5 } }
  const after = {
    settings: { state_threshold_bang: 85, state_threshold_aim: 70 },
    filters: { trend: { enabled: false } },
  }
  expect(differences(old, after)).toEqual([
    { path: 'settings.state_threshold_bang', old: 80, new: 85 },
    { path: 'signal_weights.rsi', old: 0.5 },
    { path: 'filters.trend.enabled', new: false },
  ])
})
