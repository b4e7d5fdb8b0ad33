/** Colours of the canvas, from the variables of the page; all of them are written as #rrggbb. */
const VARIABLES = {
  surface: '--v-surface',
  raised: '--v-raised',
  line: '--v-line',
  text: '--v-text',
  dimmed: '--v-dimmed',
  idle: '--v-idle',
  loaded: '--v-loaded',
  aim: '--v-aim',
  bang: '--v-bang',
  up: '--v-chart-up',
  down: '--v-chart-down',
  band: '--v-chart-band',
  fast: '--v-chart-fast',
  slow: '--v-chart-slow',
  vwap: '--v-chart-vwap',
  support: '--v-chart-support',
  resistance: '--v-chart-resistance',
} as const

export type Palette = Readonly<Record<keyof typeof VARIABLES, string>>

/** The colours in force at an element. */
export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element)
  const entries = Object.entries(VARIABLES).map(([name, variable]) => [name, style.getPropertyValue(variable).trim()])
  return Object.fromEntries(entries) as Palette
}

/** A colour with `opacity` of 0..1. */
export function faded(color: string, opacity: number): string {
  return `${color}${Math.round(opacity * 255)
    .toString(16)
    .padStart(2, '0')}`
}
