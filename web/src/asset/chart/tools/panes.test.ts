import { expect, test } from 'vitest'
import type { ChartBar, Configuration } from 'vivienne-client'
import { figureOf, PANE } from './panes.ts'

const configuration = {
  settings: { state_threshold_loaded: 50, state_threshold_aim: 70, state_threshold_bang: 85 },
  signals: {
    rsi_begin: 40,
    rsi_half: 30,
    rsi_full: 15,
    rsi_level_full_strength: 20,
    macd_full_strength: 0.35,
    macd_level_full_strength: 1,
  },
  signal_weights: { rsi: 0.5, rsi_cross: 0, rsi_level: 0, macd: 0.75, macd_level: 0 },
} as unknown as Configuration

function weighted(weights: Partial<Configuration['signal_weights']>): Configuration {
  return { ...configuration, signal_weights: { ...configuration.signal_weights, ...weights } }
}

test('thresholds are those in force, on both sides, by the paths of their tunables', () => {
  expect(PANE.rsi.thresholds(configuration).map(({ path, at }) => [path, at])).toEqual([
    ['signals.rsi_begin', [40, 60]],
    ['signals.rsi_half', [30, 70]],
    ['signals.rsi_full', [15, 85]],
  ])
  expect(PANE.macd.thresholds(configuration).map(({ path, at }) => [path, at])).toEqual([
    ['signals.macd_full_strength', [-0.35, 0.35]],
  ])
  expect(PANE.confidence.thresholds(configuration).map(({ at }) => at)).toEqual([[50], [70], [85]])
})

test('a threshold of a signal without a weight decides nothing, and is not drawn', () => {
  expect(PANE.rsi.thresholds(weighted({ rsi: 0 }))).toEqual([])
  expect(PANE.rsi.thresholds(weighted({ rsi: 0, rsi_cross: 0.1 })).map(({ path }) => path)).toEqual([
    'signals.rsi_half',
  ])
  expect(PANE.macd.thresholds(weighted({ macd_level: 0.2 }))).toHaveLength(2)
})

test('a bar that was not decided has no confidence, rather than 0', () => {
  const bar = (status: ChartBar['status']) => ({ status, signal_confidence: 0.731, rsi: null }) as ChartBar
  expect(figureOf(PANE.confidence, 'signal_confidence', bar('live'))).toBeCloseTo(73.1)
  expect(figureOf(PANE.confidence, 'signal_confidence', bar('undecidable'))).toBeNull()
  expect(figureOf(PANE.rsi, 'rsi', bar('live'))).toBeNull()
})
