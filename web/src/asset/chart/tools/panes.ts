import type { ChartBar, Configuration } from 'vivienne-client'
import type { PaneId } from '../address.ts'
import type { Palette } from '../palette.ts'

/** A threshold in force, at one or two values of a pane. */
export interface Threshold {
  /** Path of its tunable. */
  readonly path: string
  readonly at: readonly number[]
  readonly color: keyof Palette
  readonly stroke: 'solid' | 'dashed' | 'dotted'
}

type Column = 'rsi' | 'macd_atr' | 'macd_histogram_atr' | 'signal_confidence'

export interface Pane {
  readonly id: PaneId
  readonly title: (configuration: Configuration) => string
  readonly hint: string
  /** Figures of a bar it draws: one as a line, and maybe one as bars behind it. */
  readonly line: Column
  readonly bars: Column | null
  readonly color: keyof Palette
  /** Factor from the figure to the scale of the pane. */
  readonly scale: number
  readonly digits: number
  readonly unit: string
  /** Ends of the scale; null where it follows the figures. */
  readonly range: readonly [number, number] | null
  readonly thresholds: (configuration: Configuration) => readonly Threshold[]
}

const RSI: Pane = {
  id: 'rsi',
  title: ({ indicators }) => `RSI ${indicators.rsi_period}`,
  hint: 'Relative strength index that the decision used',
  line: 'rsi',
  bars: null,
  color: 'fast',
  scale: 1,
  digits: 1,
  unit: '',
  range: [0, 100],
  thresholds: ({ signals, signal_weights: weights }) => {
    const lines: (Threshold | false)[] = [
      weights.rsi > 0 && mirrored('signals.rsi_begin', signals.rsi_begin, 'dotted'),
      (weights.rsi > 0 || weights.rsi_cross > 0) && mirrored('signals.rsi_half', signals.rsi_half, 'dashed'),
      weights.rsi > 0 && mirrored('signals.rsi_full', signals.rsi_full, 'solid'),
      weights.rsi_level > 0 && around('signals.rsi_level_full_strength', 50, signals.rsi_level_full_strength, 'solid'),
    ]
    return lines.filter((line) => line !== false)
  },
}

const MACD: Pane = {
  id: 'macd',
  title: ({ indicators: { macd_fast_period: fast, macd_slow_period: slow, macd_signal_period: signal } }) =>
    `MACD ${fast}, ${slow}, ${signal}`,
  hint: 'MACD (line) and its histogram (bars) that the decision used, in ATR',
  line: 'macd_atr',
  bars: 'macd_histogram_atr',
  color: 'slow',
  scale: 1,
  digits: 2,
  unit: ' ATR',
  range: null,
  thresholds: ({ signals, signal_weights: weights }) => {
    const lines: (Threshold | false)[] = [
      weights.macd > 0 && around('signals.macd_full_strength', 0, signals.macd_full_strength, 'dashed'),
      weights.macd_level > 0 &&
        around('signals.macd_level_full_strength', 0, signals.macd_level_full_strength, 'dotted'),
    ]
    return lines.filter((line) => line !== false)
  },
}

const CONFIDENCE: Pane = {
  id: 'confidence',
  title: () => 'Confidence',
  hint: 'Confidence of the decision on each bar',
  line: 'signal_confidence',
  bars: null,
  color: 'text',
  scale: 100,
  digits: 1,
  unit: ' %',
  range: [0, 100],
  thresholds: ({ settings }) => [
    level('loaded', settings.state_threshold_loaded),
    level('aim', settings.state_threshold_aim),
    level('bang', settings.state_threshold_bang),
  ],
}

export const PANE: Readonly<Record<PaneId, Pane>> = { rsi: RSI, macd: MACD, confidence: CONFIDENCE }

/** The figure of a bar on the scale of a pane; null where there is none. */
export function figureOf(pane: Pane, column: Column, bar: ChartBar): number | null {
  // A bar without a decision has no confidence, and says 0.
  if (column === 'signal_confidence' && bar.status !== 'live' && bar.status !== 'paused') return null
  const value = bar[column]
  return value === null ? null : value * pane.scale
}

function mirrored(path: string, at: number, stroke: Threshold['stroke']): Threshold {
  return { path, at: [at, 100 - at], color: 'dimmed', stroke }
}

function around(path: string, middle: number, distance: number, stroke: Threshold['stroke']): Threshold {
  return { path, at: [middle - distance, middle + distance], color: 'dimmed', stroke }
}

function level(name: 'loaded' | 'aim' | 'bang', at: number): Threshold {
  return { path: `settings.state_threshold_${name}`, at: [at], color: name, stroke: 'solid' }
}
