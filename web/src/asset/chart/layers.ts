import type { ChartBar } from 'vivienne-client'
import type { Palette } from './palette.ts'

/** Layers beside the candles, each with its own switch. */
export type LayerId =
  | 'bands'
  | 'ema_fast'
  | 'ema_slow'
  | 'vwap'
  | 'support'
  | 'resistance'
  | 'volume'
  | 'decisions'
  | 'changes'

type Column = {
  [Name in keyof ChartBar]: ChartBar[Name] extends number | null ? Name : never
}[keyof ChartBar]

export interface Layer {
  readonly id: LayerId
  readonly title: string
  /** Explanation for a person. */
  readonly hint: string
  /** Figures of a bar that the legend shows. */
  readonly columns: readonly Column[]
  readonly color: keyof Palette
  /** Style of the drawing, in the legend and in the chart. */
  readonly stroke: 'thin' | 'solid' | 'bold' | 'dashed' | 'long dashes' | 'dots' | 'bars' | 'triangle' | 'flag'
}

export const LAYERS: readonly Layer[] = [
  {
    id: 'bands',
    title: 'Bands',
    hint: 'Bollinger bands: upper, middle, lower',
    columns: ['bollinger_upper', 'bollinger_middle', 'bollinger_lower'],
    color: 'band',
    stroke: 'thin',
  },
  { id: 'ema_fast', title: 'EMA fast', hint: 'Fast average', columns: ['ema_fast'], color: 'fast', stroke: 'solid' },
  { id: 'ema_slow', title: 'EMA slow', hint: 'Slow average', columns: ['ema_slow'], color: 'slow', stroke: 'bold' },
  {
    id: 'vwap',
    title: 'VWAP',
    hint: 'Volume-weighted average price',
    columns: ['vwap'],
    color: 'vwap',
    stroke: 'dashed',
  },
  {
    id: 'resistance',
    title: 'Resistance',
    hint: 'Nearest confirmed level above',
    columns: ['resistance'],
    color: 'resistance',
    stroke: 'dots',
  },
  {
    id: 'support',
    title: 'Support',
    hint: 'Nearest confirmed level below',
    columns: ['support'],
    color: 'support',
    stroke: 'long dashes',
  },
  { id: 'volume', title: 'Volume', hint: 'Volume of the bar', columns: ['volume'], color: 'dimmed', stroke: 'bars' },
  {
    id: 'decisions',
    title: 'Decisions',
    hint: 'Triangles where aim begins, double ones where bang does, hollow ones where a filter holds; a strip with the level of every bar, hatched while paused, dotted where nothing is decided; striped and pale where recomputed',
    columns: [],
    color: 'aim',
    stroke: 'triangle',
  },
  {
    id: 'changes',
    title: 'Changes',
    hint: 'Times at which a configuration came into force',
    columns: [],
    color: 'text',
    stroke: 'flag',
  },
]
