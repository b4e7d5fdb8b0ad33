import {
  type CandlestickSeriesPartialOptions,
  ColorType,
  CrosshairMode,
  type LineSeriesPartialOptions,
  LineStyle,
  type LineWidth,
  type PriceFormatCustom,
} from 'lightweight-charts'
import { formatPrice } from '../../parts/format.ts'
import { LAYERS, type Layer, type LayerId } from './layers.ts'
import { STRIP } from './paint.ts'
import { faded, type Palette } from './palette.ts'

/** Options for the charting library. */

const FONT = "'Inter Variable', system-ui, sans-serif"

/** Options that do not depend on the colours. */
export const BEHAVIOUR = {
  autoSize: true,
  crosshair: { mode: CrosshairMode.Normal },
  // A finger that goes up or down scrolls the page.
  handleScroll: { vertTouchDrag: false },
  // A label at an end is left out rather than cut.
  rightPriceScale: { borderVisible: false, minimumWidth: 76, entireTextOnly: true },
  timeScale: {
    borderVisible: false,
    timeVisible: true,
    secondsVisible: false,
    minBarSpacing: 0.1,
    // The edges are where the data ends; beyond them there is nothing to see.
    fixLeftEdge: true,
    minimumHeight: 26,
  },
  // The notice and the link that the licence asks for stand below the chart.
  layout: { attributionLogo: false, fontFamily: FONT, fontSize: 11 },
} as const

/** The chart in these colours. */
export function chartColors(palette: Palette) {
  return {
    layout: {
      background: { type: ColorType.Solid as const, color: palette.surface },
      textColor: palette.dimmed,
      panes: { separatorColor: palette.line, separatorHoverColor: faded(palette.dimmed, 0.3) },
    },
    grid: { vertLines: { color: faded(palette.line, 0.5) }, horzLines: { color: faded(palette.line, 0.5) } },
    crosshair: {
      vertLine: { color: palette.dimmed, labelBackgroundColor: palette.dimmed },
      horzLine: { color: palette.dimmed, labelBackgroundColor: palette.dimmed },
    },
  }
}

export function candleColors(palette: Palette): CandlestickSeriesPartialOptions {
  return {
    upColor: palette.up,
    borderUpColor: palette.up,
    wickUpColor: palette.up,
    downColor: palette.down,
    borderDownColor: palette.down,
    wickDownColor: palette.down,
    lastValueVisible: false,
    priceLineVisible: false,
  }
}

/** Format of prices on the axis, with so many digits after the point. */
export function priceFormat(digits: number): PriceFormatCustom {
  return { type: 'custom', formatter: (price: number) => formatPrice(price, digits), minMove: 10 ** -digits }
}

/** Room for the volume, where it is shown, and for the strip of levels. */
export function candleMargins(volume: boolean) {
  return { top: 0.08, bottom: volume ? 0.22 : 0.1 }
}

export const VOLUME_MARGINS = { top: 0.84, bottom: STRIP + 0.015 }

const STROKES: Partial<Record<Layer['stroke'], { lineWidth: LineWidth; lineStyle: LineStyle }>> = {
  thin: { lineWidth: 1, lineStyle: LineStyle.Solid },
  solid: { lineWidth: 1, lineStyle: LineStyle.Solid },
  bold: { lineWidth: 2, lineStyle: LineStyle.Solid },
  dashed: { lineWidth: 2, lineStyle: LineStyle.Dashed },
}

/** One line of a layer. */
export function lineOptions(layer: Layer, palette: Palette): LineSeriesPartialOptions {
  return {
    ...STROKES[layer.stroke],
    color: layer.id === 'bands' ? faded(palette.band, 0.75) : palette[layer.color],
    lastValueVisible: false,
    priceLineVisible: false,
    crosshairMarkerVisible: false,
  }
}

const DRAWN_HERE: readonly LayerId[] = ['support', 'resistance', 'volume']

/** Layers that the library draws as lines. */
export const LINE_LAYERS: readonly Layer[] = LAYERS.filter(
  (layer) => layer.columns.length > 0 && !DRAWN_HERE.includes(layer.id),
)
