import type { ChartBar } from 'vivienne-client'
import { LEVELS } from '../../parts/Level.tsx'
import type { Scene } from './Drawing.ts'
import { type DrawnDecision, type Entry, isDecided } from './decisions.ts'
import { faded, type Palette } from './palette.ts'
import { unusual } from './sources.ts'

/** Part of the height of the pane that the strip of levels takes. */
export const STRIP = 0.03

/** The bar that is chosen, from the top to the bottom. */
export function paintChosen({ context, height, spacing, x }: Scene, index: number | null, palette: Palette): void {
  if (index === null) return
  const width = Math.max(3, spacing)
  context.fillStyle = faded(palette.dimmed, 0.25)
  context.fillRect(x(index) - width / 2, 0, width, height)
}

/** The room between the Bollinger bands. */
export function paintBands(scene: Scene, bars: readonly ChartBar[], palette: Palette): void {
  const { context } = scene
  const inSight = bars.slice(scene.from, scene.to + 1)
  const upper: [number, number][] = []
  const lower: [number, number][] = []
  inSight.forEach((bar, place) => {
    if (bar.bollinger_upper === null || bar.bollinger_lower === null) return
    const x = scene.x(scene.from + place)
    upper.push([x, scene.y(bar.bollinger_upper)])
    lower.push([x, scene.y(bar.bollinger_lower)])
  })
  if (upper.length < 2) return
  context.beginPath()
  for (const [x, y] of [...upper, ...lower.reverse()]) context.lineTo(x, y)
  context.closePath()
  context.globalAlpha = 0.07
  context.fillStyle = palette.band
  context.fill()
}

/** A level of the market as level pieces, one for each run of bars that have the same. */
export function paintLevel(
  scene: Scene,
  bars: readonly ChartBar[],
  column: 'support' | 'resistance',
  palette: Palette,
): void {
  const { context } = scene
  context.strokeStyle = palette[column]
  context.lineWidth = 2
  context.lineCap = 'round'
  context.setLineDash(column === 'support' ? [9, 6] : [0.1, 5])
  const to = Math.min(scene.to, bars.length - 1)
  for (let index = scene.from; index <= to; ) {
    const price = bars[index]?.[column] ?? null
    let end = index
    while (end < to && bars[end + 1]?.[column] === price) end++
    if (price !== null) {
      const y = scene.y(price)
      context.beginPath()
      context.moveTo(scene.x(index - 0.5), y)
      context.lineTo(scene.x(end + 0.5), y)
      context.stroke()
    }
    index = end + 1
  }
}

/** Half of the width of a mark of a source, in pixels. */
const MARK = 3

/** A mark above the strip at each bar that was not streamed: a hollow square where it was filled, a cross where it lacks something. */
export function paintSources(scene: Scene, bars: readonly ChartBar[], palette: Palette): void {
  const { context } = scene
  const y = scene.height * (1 - STRIP) - 3 * MARK
  const to = Math.min(scene.to, bars.length - 1)
  context.save()
  context.strokeStyle = palette.text
  context.lineWidth = 1.5
  for (let index = scene.from; index <= to; index++) {
    const bar = bars[index]
    const source = bar === undefined ? null : unusual(bar)
    if (source === null) continue
    const x = scene.x(index)
    context.beginPath()
    if (source === 'filled') context.rect(x - MARK, y - MARK, 2 * MARK, 2 * MARK)
    else {
      context.moveTo(x - MARK, y - MARK)
      context.lineTo(x + MARK, y + MARK)
      context.moveTo(x - MARK, y + MARK)
      context.lineTo(x + MARK, y - MARK)
    }
    context.stroke()
  }
  context.restore()
}

const HEIGHTS = [0.14, 0.42, 0.75, 1]

/**
 * The level of every bar: higher and warmer the nearer to an entry, hollow where a filter holds, in stripes where it was
 * recomputed. Paused bars are hatched in grey, whatever their level; a bar without a decision has only a dotted ground.
 */
export function paintStrip(scene: Scene, decisions: readonly DrawnDecision[], palette: Palette): void {
  const { context } = scene
  const most = scene.height * STRIP
  const to = Math.min(scene.to, decisions.length - 1)
  for (let index = scene.from; index <= to; index++) {
    const decision = decisions[index]
    if (decision === undefined) continue
    const left = Math.round(scene.x(index - 0.5))
    const width = Math.max(1, Math.round(scene.x(index + 0.5)) - left - (scene.spacing > 5 ? 1 : 0))
    if (decision.status === 'paused') paintPaused(scene, left, width, most, palette)
    else if (isDecided(decision)) paintDecided(scene, left, width, most, decision, palette)
    else if (index % Math.max(1, Math.round(6 / scene.spacing)) === 0) {
      context.globalAlpha = 0.5
      context.fillStyle = palette.dimmed
      context.fillRect(left, scene.height - 1.5, Math.min(2, width), 1.5)
    }
  }
}

function paintDecided(
  { context, height: bottom }: Scene,
  left: number,
  width: number,
  most: number,
  { level, held, recomputed }: DrawnDecision,
  palette: Palette,
): void {
  const height = most * (HEIGHTS[LEVELS.indexOf(level)] ?? 0)
  const top = bottom - height
  context.fillStyle = palette[level]
  context.globalAlpha = held ? 0.28 : level === 'idle' ? 0.45 : 1
  if (recomputed) for (let y = bottom - 1; y >= top; y -= 3) context.fillRect(left, y, width, 1)
  else context.fillRect(left, top, width, height)
  if (held) {
    context.globalAlpha = 1
    context.fillRect(left, top, width, 1.5)
  }
}

/** Pixels from one stripe of a pause to the next; they go on from bar to bar. */
const STRIPES = 5

function paintPaused({ context, height }: Scene, left: number, width: number, most: number, palette: Palette): void {
  const top = height - most
  context.fillStyle = palette.dimmed
  context.globalAlpha = 0.16
  context.fillRect(left, top, width, most)
  context.globalAlpha = 0.7
  for (let x = Math.ceil(left / STRIPES) * STRIPES; x < left + width; x += STRIPES) {
    context.fillRect(x, top, 1.5, most)
  }
}

/**
 * Triangles below the bar for long, above it for short; two of them for bang, hollow ones for held entries, pale ones for
 * recomputed bars.
 */
export function paintEntries(
  scene: Scene,
  entries: readonly Entry[],
  row: (index: number) => { high: number; low: number } | undefined,
  palette: Palette,
): void {
  const half = Math.min(6, Math.max(3.5, scene.spacing * 0.7))
  for (const entry of entries) {
    if (entry.index < scene.from || entry.index > scene.to || entry.side === 'none') continue
    const bar = row(entry.index)
    if (bar === undefined) continue
    const long = entry.side === 'long'
    const tip = long ? scene.y(bar.low) + 5 : scene.y(bar.high) - 5
    const down = long ? 1 : -1
    const count = entry.level === 'bang' ? 2 : 1
    for (let place = 0; place < count; place++) {
      triangle(scene, scene.x(entry.index), tip + down * place * half * 1.15, half, down, entry, palette)
    }
  }
}

function triangle(
  { context }: Scene,
  x: number,
  tip: number,
  half: number,
  down: number,
  entry: Entry,
  palette: Palette,
): void {
  context.beginPath()
  context.moveTo(x, tip)
  context.lineTo(x - half, tip + down * half * 1.5)
  context.lineTo(x + half, tip + down * half * 1.5)
  context.closePath()
  context.lineJoin = 'round'
  // A rim in the colour of the ground keeps the shape apart from the candles.
  context.strokeStyle = palette.surface
  context.lineWidth = 3.5
  context.stroke()
  const color = entry.recomputed ? faded(palette[entry.level], 0.5) : palette[entry.level]
  context.fillStyle = entry.held ? palette.surface : color
  context.fill()
  if (entry.held) {
    context.strokeStyle = color
    context.lineWidth = 1.5
    context.stroke()
  }
}
