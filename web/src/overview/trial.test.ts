import { expect, test } from 'vitest'
import type { AssetData } from 'vivienne-client'
import { trialOf } from './trial.ts'

function state(asset: string, level: string, confidence: number, status = 'live'): AssetData {
  const settings = { state_threshold_loaded: 50, state_threshold_aim: 70, state_threshold_bang: 80 }
  const data = { status, raw_clarity_level: level, clarity_level: level, signal_confidence: confidence }
  return { asset, agents: { VivienneAgent: { data, config: { settings } } } } as unknown as AssetData
}

test('an idle asset is brought to loaded by a threshold below its confidence', () => {
  expect(trialOf([state('BTC', 'idle', 0), state('ETH', 'idle', 0.426)])).toEqual({
    asset: 'ETH',
    field: 'settings.state_threshold_loaded',
    threshold: 'loaded',
    from: 50,
    to: 41,
    confidence: 42.6,
    after: 'loaded',
  })
})

test('where none is idle with a confidence, one is brought down, within the order of the thresholds', () => {
  expect(trialOf([state('BTC', 'loaded', 0.695), state('ETH', 'aim', 0.74)])).toMatchObject({
    asset: 'ETH',
    threshold: 'aim',
    to: 75,
    after: 'loaded',
  })
  expect(trialOf([state('BTC', 'bang', 0.9)])).toMatchObject({ threshold: 'bang', to: 91, after: 'aim' })
})

test('what is not decided now shows no effect', () => {
  expect(trialOf([state('BTC', 'idle', 0.4, 'warming_up'), state('ETH', 'idle', 0.4, 'paused')])).toBeUndefined()
  expect(trialOf([])).toBeUndefined()
})
