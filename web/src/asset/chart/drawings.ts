import type { ChartBar, FormingBar } from 'vivienne-client'
import { Drawing, type Scene } from './Drawing.ts'
import type { DrawnDecision, Entry } from './decisions.ts'
import type { LayerId } from './layers.ts'
import { paintBands, paintChosen, paintEntries, paintLevel, paintSources, paintStrip } from './paint.ts'
import type { Palette } from './palette.ts'

/** What a chart has to draw, as it is when it is drawn. */
interface Drawn {
  bars(): readonly ChartBar[]
  candle(index: number): FormingBar | undefined
  decisions(): readonly DrawnDecision[]
  entries(): readonly Entry[]
  /** Place of the bar that is chosen; null for none. */
  chosen(): number | null
  hidden(): ReadonlySet<LayerId>
  palette(): Palette
}

/** Drawings below and above the candles. */
export function drawingsOf(drawn: Drawn): Drawing[] {
  // Each leaves the canvas as it found it.
  const layer = (id: LayerId, { context }: Scene, paint: () => void) => {
    if (drawn.hidden().has(id)) return
    context.save()
    paint()
    context.restore()
  }
  return [
    new Drawing('bottom', (scene) => {
      const [bars, palette] = [drawn.bars(), drawn.palette()]
      paintChosen(scene, drawn.chosen(), palette)
      layer('bands', scene, () => paintBands(scene, bars, palette))
      layer('support', scene, () => paintLevel(scene, bars, 'support', palette))
      layer('resistance', scene, () => paintLevel(scene, bars, 'resistance', palette))
    }),
    new Drawing('top', (scene) => {
      const palette = drawn.palette()
      layer('decisions', scene, () => paintStrip(scene, drawn.decisions(), palette))
      paintSources(scene, drawn.bars(), palette)
      layer('decisions', scene, () => paintEntries(scene, drawn.entries(), (index) => drawn.candle(index), palette))
    }),
  ]
}
