import { expect, test } from 'vitest'
import type { AgentState, CheckExplanation } from 'vivienne-client'
import { blockedWords } from './Blocker.tsx'
import { fieldOf } from './view.ts'

function check(scenario: string, path: string | null, met: boolean): CheckExplanation {
  return { scenario, measure: 'bandwidth', relation: '<', path, value: 1, threshold: 2, met }
}

function agent(filter: string, checks: CheckExplanation[]): AgentState {
  return {
    data: { explanation: { filters: [{ name: filter, checks }] } },
    config: {
      filters: {
        volatility: { volatility_squeeze_threshold: 0.015, enable_bollinger_filter_for_entry: true },
        trend: { enable_trend_filter_for_entry: true },
      },
    },
  } as unknown as AgentState
}

test('a blocker leads to the threshold of the scenario that blocks', () => {
  const checks = [
    check('breakout against the trend', 'filters.volatility.volatility_breakout_threshold', false),
    check('breakout against the trend', null, true),
    check('squeeze', 'filters.volatility.volatility_squeeze_threshold', true),
  ]
  expect(fieldOf(agent('volatility', checks), 'volatility')).toBe('filters.volatility.volatility_squeeze_threshold')
})

test('a blocker without a threshold leads to its switch', () => {
  expect(fieldOf(agent('trend', [check('against the trend', null, true)]), 'trend')).toBe(
    'filters.trend.enable_trend_filter_for_entry',
  )
})

test('a filter nothing is known of leads nowhere in particular', () => {
  expect(fieldOf(agent('trend', []), 'moon_phase')).toBeNull()
})

test('a scenario that is called as its filter is said once', () => {
  expect(blockedWords('underused_alpha', 'retail chop: 466 trades')).toBe('Retail chop: 466 trades')
  expect(blockedWords('volatility', 'squeeze: bandwidth 0.011 below 0.015')).toBe(
    'Volatility: squeeze: bandwidth 0.011 below 0.015',
  )
})
