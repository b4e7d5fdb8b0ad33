import {
  HistogramSeries,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  PriceScaleMode,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import type { ChartBar, Configuration } from 'vivienne-client'
import type { PaneId } from '../address.ts'
import type { PriceChart } from '../PriceChart.ts'
import { faded, type Palette } from '../palette.ts'
import { figureOf, PANE, type Pane, type Threshold } from './panes.ts'

/** Height of the pane of the candles, in heights of one below it. */
const CANDLES = 3.2
const STYLES = { solid: LineStyle.Solid, dashed: LineStyle.Dashed, dotted: LineStyle.SparseDotted }

/** Series of one pane. */
interface Drawn {
  readonly pane: Pane
  readonly line: ISeriesApi<'Line', Time>
  readonly bars: ISeriesApi<'Histogram', Time> | null
  readonly thresholds: readonly { readonly line: IPriceLine; readonly color: keyof Palette }[]
}

/** Draws panes below the candles of a chart, with the thresholds in force. */
export class PaneSeries {
  readonly #chart: PriceChart
  readonly #drawn: readonly Drawn[]
  readonly #leave: () => void

  /**
   * @param panes from the top
   * @param configuration the one in force, whose thresholds are drawn
   */
  constructor(chart: PriceChart, panes: readonly PaneId[], configuration: Configuration) {
    this.#chart = chart
    this.#drawn = panes.map((id, place) => this.#add(PANE[id], place + 1, PANE[id].thresholds(configuration)))
    for (const [place, pane] of chart.library.panes().entries()) pane.setStretchFactor(place === 0 ? CANDLES : 1)
    this.#fill()
    let bars = chart.bars()
    let palette = chart.palette
    this.#leave = chart.onBars(() => {
      if (bars === chart.bars() && palette === chart.palette) return
      bars = chart.bars()
      palette = chart.palette
      this.#fill()
    })
  }

  /** Takes the panes away again. */
  remove(): void {
    this.#leave()
    if (this.#chart.removed) return
    for (const { line, bars } of this.#drawn) {
      if (bars !== null) this.#chart.library.removeSeries(bars)
      this.#chart.library.removeSeries(line)
    }
  }

  /** Top of each pane in pixels from the top of the chart, in the order they were given. */
  tops(): number[] {
    const heights = this.#chart.library.panes().map((pane) => pane.getHeight())
    let top = 0
    return heights.slice(0, -1).map((height) => {
      top += height + SEPARATOR
      return top
    })
  }

  #add(pane: Pane, place: number, thresholds: readonly Threshold[]): Drawn {
    const ends = [...thresholds.flatMap(({ at }) => at), ...(pane.range ?? [])]
    const common = {
      priceLineVisible: false,
      lastValueVisible: false,
      priceFormat: {
        type: 'custom',
        minMove: 10 ** -pane.digits,
        // Beyond its range there is only room for the name of the pane.
        formatter: (value: number) =>
          pane.range !== null && (value < pane.range[0] || value > pane.range[1]) ? '' : value.toFixed(pane.digits),
      },
      autoscaleInfoProvider: (own: () => { priceRange: { minValue: number; maxValue: number } | null } | null) => {
        const found = own()?.priceRange
        const all = pane.range !== null || !found ? ends : [...ends, found.minValue, found.maxValue]
        return all.length === 0 ? null : { priceRange: { minValue: Math.min(...all), maxValue: Math.max(...all) } }
      },
    } as const
    const { library, palette } = this.#chart
    const bars = pane.bars === null ? null : library.addSeries(HistogramSeries, common, place)
    const line = library.addSeries(LineSeries, { ...common, lineWidth: 1, crosshairMarkerVisible: false }, place)
    // A new pane takes over what was set for the candles.
    line.priceScale().applyOptions({ mode: PriceScaleMode.Normal, scaleMargins: { top: 0.2, bottom: 0.08 } })
    const lines = thresholds.flatMap(({ at, color, stroke }) =>
      at.map((price) => {
        const options = {
          price,
          color: palette[color],
          lineStyle: STYLES[stroke],
          lineWidth: 1,
          axisLabelVisible: false,
        } as const
        return { line: line.createPriceLine(options), color }
      }),
    )
    return { pane, line, bars, thresholds: lines }
  }

  #fill(): void {
    const { palette } = this.#chart
    const held = this.#chart.bars()
    const [up, down] = [faded(palette.up, 0.6), faded(palette.down, 0.6)]
    for (const { pane, line, bars, thresholds } of this.#drawn) {
      for (const each of thresholds) each.line.applyOptions({ color: palette[each.color] })
      line.applyOptions({ color: palette[pane.color] })
      line.setData(held.map((bar) => point(bar, figureOf(pane, pane.line, bar))))
      const column = pane.bars
      if (column === null) continue
      bars?.setData(
        held.map((bar) => {
          const value = figureOf(pane, column, bar)
          return { ...point(bar, value), ...(value === null ? {} : { color: value < 0 ? down : up }) }
        }),
      )
    }
  }
}

/** Pixels between two panes. */
const SEPARATOR = 1

function point(bar: ChartBar, value: number | null) {
  const time = (Date.parse(bar.time) / 1000) as UTCTimestamp
  return value === null ? { time } : { time, value }
}
