import { expect, test } from 'vitest'
import type { CheckExplanation, FilterExplanation, ScenarioExplanation } from 'vivienne-client'
import { fieldOf } from './view.ts'

const check = (path: string | null): CheckExplanation => ({
  id: 'bandwidth',
  measure: 'bandwidth',
  unit: 'fraction',
  relation: '<',
  path,
  value: 1,
  threshold: 2,
  met: true,
})

const scenario = (blocks: boolean, paths: (string | null)[], toggle: string | null = null): ScenarioExplanation => ({
  id: 'squeeze',
  title: 'squeeze',
  enabled: true,
  switch: toggle,
  longs_only: false,
  blocks,
  checks: paths.map(check),
})

const filter = (...scenarios: ScenarioExplanation[]): FilterExplanation => ({
  id: 'volatility',
  name: 'volatility',
  title: 'Volatility',
  enabled: true,
  switch: 'switch of the filter',
  state: 'blocked',
  message: '',
  scenarios,
})

test('a blocker leads to the threshold of the scenario that blocks', () => {
  expect(fieldOf(filter(scenario(false, ['other']), scenario(true, [null, 'threshold'])))).toBe('threshold')
})

test('a blocker without a threshold leads to its own switch, or to that of its filter', () => {
  expect(fieldOf(filter(scenario(true, [null], 'own switch')))).toBe('own switch')
  expect(fieldOf(filter(scenario(true, [null])))).toBe('switch of the filter')
})
