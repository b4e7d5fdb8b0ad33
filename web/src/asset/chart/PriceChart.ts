import {
  CandlestickSeries,
  createChartEx,
  HistogramSeries,
  type IChartApiBase,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  PriceScaleMode,
  type Time,
} from 'lightweight-charts'
import type { ChartBar, FormingBar } from 'vivienne-client'
import { ChartView, type View } from './ChartView.ts'
import type { Drawing } from './Drawing.ts'
import { type DrawnDecision, decisionOn, type Entry, entries } from './decisions.ts'
import { drawingsOf } from './drawings.ts'
import type { LayerId } from './layers.ts'
import {
  BEHAVIOUR,
  candleColors,
  candleMargins,
  chartColors,
  LINE_LAYERS,
  lineOptions,
  priceFormat,
  VOLUME_MARGINS,
} from './options.ts'
import type { Palette } from './palette.ts'
import { candleOf, pointOf, secondsOf, volumesOf } from './points.ts'
import { ZonedTimeScale } from './ZonedTimeScale.ts'

/** Bar under the crosshair, else the newest one; where that is not held, the last one in sight. */
export interface Reading {
  readonly candle: FormingBar
  /** The closed bar whose indicators and decision go with it: the bar itself, or for an open one the last closed. */
  readonly bar: ChartBar | null
  readonly decision: DrawnDecision | null
  readonly pointed: boolean
  readonly open: boolean
}

/** A moment and a price: a point of the chart that moves with it. */
export interface Spot {
  /** When the bar opened. */
  readonly time: string
  readonly price: number
}

/** Candles, indicators and decisions of one asset on a canvas. Knows neither React nor the network. */
export class PriceChart {
  readonly #chart: IChartApiBase<Time>
  readonly #candles: ISeriesApi<'Candlestick', Time>
  readonly #volume: ISeriesApi<'Histogram', Time>
  readonly #lines: { id: LayerId; column: keyof ChartBar; series: ISeriesApi<'Line', Time> }[]
  readonly #drawings: Drawing[]
  /** The newest price. That of the library follows the last bar in sight. */
  readonly #price: IPriceLine
  readonly #readers = new Set<() => void>()
  readonly #viewers = new Set<() => void>()
  readonly #followers = new Set<() => void>()
  readonly #choosers = new Set<(bar: ChartBar) => void>()
  #palette: Palette
  #hidden: ReadonlySet<LayerId> = new Set()
  #bars: readonly ChartBar[] = []
  #open: readonly FormingBar[] = []
  #live = true
  #decisions: readonly DrawnDecision[] = []
  #entries: readonly Entry[] = []
  #pointed: number | null = null
  /** When the bar opened that is chosen. */
  #chosen: string | null = null
  #reading: Reading | null = null
  #digits: number | null = null
  #volumeColumn: 'volume' | 'quote_volume' = 'volume'
  #removed = false
  /** Which bars are in sight. */
  readonly view: ChartView

  constructor(container: HTMLElement, palette: Palette) {
    this.#palette = palette
    const chart = createChartEx<Time, ZonedTimeScale>(container, new ZonedTimeScale(), BEHAVIOUR)
    chart.applyOptions(chartColors(palette))
    this.#chart = chart
    this.view = new ChartView(chart, {
      count: () => this.#count(),
      at: (index) => this.#candle(index),
      live: () => this.#live,
    })
    this.#volume = chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.#volume.priceScale().applyOptions({ scaleMargins: VOLUME_MARGINS })
    this.#lines = LINE_LAYERS.flatMap((layer) =>
      layer.columns.map((column) => ({
        id: layer.id,
        column,
        series: chart.addSeries(LineSeries, lineOptions(layer, palette)),
      })),
    )
    this.#candles = chart.addSeries(CandlestickSeries, candleColors(palette))
    this.#candles.priceScale().applyOptions({ scaleMargins: candleMargins(true) })
    this.#price = this.#candles.createPriceLine({ price: 0, lineVisible: false, axisLabelVisible: false })
    this.#drawings = drawingsOf({
      bars: () => this.#bars,
      candle: (index) => this.#candle(index),
      decisions: () => this.#decisions,
      entries: () => this.#entries,
      chosen: () => this.#chosenIndex(),
      hidden: () => this.#hidden,
      palette: () => this.#palette,
    })
    for (const drawing of this.#drawings) this.#candles.attachPrimitive(drawing)
    this.#candles.attachPrimitive({
      updateAllViews: () => {
        if (!this.#live && this.#reading?.candle !== this.#candle(this.#pointed ?? this.#last())) this.#read()
        tell(this.#viewers)
      },
    })
    chart.subscribeClick(({ point, logical }) => point && logical !== undefined && this.#choose(logical))
    chart.subscribeCrosshairMove(({ point, logical }) => this.#point(point && logical !== undefined ? logical : null))
  }

  /** Ends it; nothing may be called afterwards. */
  remove(): void {
    this.#removed = true
    this.#readers.clear()
    this.#viewers.clear()
    this.#followers.clear()
    this.#choosers.clear()
    this.#chart.remove()
  }

  /** True once it has ended: a page that is left ends the chart before the tools on it. */
  get removed(): boolean {
    return this.#removed
  }

  /** Other colours; nothing else changes. */
  setPalette(palette: Palette): void {
    this.#palette = palette
    this.#chart.applyOptions(chartColors(palette))
    this.#candles.applyOptions(candleColors(palette))
    for (const layer of LINE_LAYERS) {
      for (const line of this.#lines) if (line.id === layer.id) line.series.applyOptions(lineOptions(layer, palette))
    }
    this.#drawVolume()
    this.#markPrice()
    tell(this.#followers)
  }

  /** Layers that are not drawn. */
  setHidden(hidden: ReadonlySet<LayerId>): void {
    this.#hidden = hidden
    for (const { id, series } of this.#lines) series.applyOptions({ visible: !hidden.has(id) })
    const volume = !hidden.has('volume')
    this.#volume.applyOptions({ visible: volume })
    this.#candles.priceScale().applyOptions({ scaleMargins: candleMargins(volume) })
    this.#redraw()
  }

  /**
   * Other closed bars, and the open ones after them. The part in sight stays in sight.
   *
   * @param digits - after the point in the prices
   * @param live - true if the newest bars are among them
   */
  setBars(bars: readonly ChartBar[], open: readonly FormingBar[], digits: number, live = true): void {
    const comeBack = this.view.rememberPlace()
    const pointed = this.#pointed === null ? undefined : this.#candle(this.#pointed)
    this.#bars = bars
    this.#open = open
    this.#live = live
    // The bar that is read may have another place now.
    if (pointed !== undefined) this.#pointed = this.view.indexOf(pointed.time)
    this.#decisions = bars.map(decisionOn)
    this.#entries = entries(this.#decisions)
    this.formatPrices(digits)
    this.#candles.setData([...bars, ...open].map(candleOf))
    this.#drawVolume()
    for (const { column, series } of this.#lines) series.setData(bars.map((bar) => pointOf(bar, column)))
    this.#redraw()
    this.#markPrice()
    this.#read()
    tell(this.#followers)
    // The bars of all panes have their places together.
    comeBack()
  }

  /** The open bars, moved. */
  setOpen(open: readonly FormingBar[]): void {
    const [had, has] = [this.#open.length, open.length]
    const comeBack = had === has ? null : this.view.rememberPlace()
    this.#open = open
    for (const bar of open.slice(Math.max(0, Math.min(had, has) - 1))) this.#candles.update(candleOf(bar))
    this.#markPrice()
    this.#read()
    tell(this.#followers)
    comeBack?.()
  }

  /**
   * Digits after the point in the prices, on all series of the axis: the one with the fewest decides where its labels may
   * stand.
   */
  formatPrices(digits: number): void {
    if (digits === this.#digits) return
    this.#digits = digits
    for (const series of [this.#candles, ...this.#lines.map((line) => line.series)]) {
      series.applyOptions({ priceFormat: priceFormat(digits) })
    }
  }

  /** The volume that is drawn: in base currency, or in quote currency. */
  setVolume(column: 'volume' | 'quote_volume'): void {
    if (column === this.#volumeColumn) return
    this.#volumeColumn = column
    this.#drawVolume()
  }

  /** A logarithmic scale of prices, or a linear one. */
  setLogarithmic(logarithmic: boolean): void {
    const mode = logarithmic ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal
    this.#candles.priceScale().applyOptions({ mode })
  }

  /** Shows a part of the bars, with the prices scaled to it. */
  show(view: View): void {
    this.view.show(view)
    this.#candles.priceScale().applyOptions({ autoScale: true })
  }

  /** Moves the crosshair by bars, from where it is or from the newest bar; null takes it away. */
  step(bars: number | null): void {
    if (bars === null) {
      this.#chart.clearCrosshairPosition()
      this.#point(null)
      return
    }
    const last = this.#count() - 1
    const index = Math.max(0, Math.min(last, (this.#pointed ?? this.#last()) + bars))
    const candle = this.#candle(index)
    if (candle === undefined) return
    this.view.reveal(index)
    this.#chart.setCrosshairPosition(candle.close, secondsOf(candle.time), this.#candles)
    this.#point(index)
  }

  /** Marks the bar that opened then; null marks none. */
  choose(time: string | null): void {
    if (time === this.#chosen) return
    this.#chosen = time
    this.#redraw()
  }

  /** Chooses the bar under the crosshair, if it has closed. */
  choosePointed(): void {
    if (this.#pointed !== null) this.#choose(this.#pointed)
  }

  /** Tells when a person chooses a closed bar. Returns a function that ends it. */
  onChosen = (listener: (bar: ChartBar) => void): (() => void) => {
    this.#choosers.add(listener)
    return () => this.#choosers.delete(listener)
  }

  /** Brings the bar of a moment into sight; false if it is not held. */
  reveal(time: string): boolean {
    const index = this.view.indexOf(time)
    if (index === null || index >= this.#bars.length) return false
    // A later one than the last.
    if (index === this.#bars.length - 1 && this.#bars[index]?.time !== time) return false
    this.view.center(index)
    return true
  }

  /** Position of a moment within its bar, in pixels from the left of the pane. Null beyond the data. */
  positionOf(time: string, length: number): number | null {
    const moment = Date.parse(time)
    const index = this.view.indexOf(time)
    const candle = index === null ? undefined : this.#candle(index)
    const [x, next] = [0, 1].map((step) => this.#chart.timeScale().logicalToCoordinate(((index ?? 0) + step) as never))
    if (candle === undefined || x == null || next == null) return null
    const part = (moment - Date.parse(candle.time)) / length
    if (part > 2) return null
    return x + (part - 0.5) * (next - x)
  }

  /** Width of the pane, without the price axis. */
  width(): number {
    return this.#chart.timeScale().width()
  }

  /** Height of the pane of the candles. */
  candlesHeight(): number {
    return this.#chart.panes()[0]?.getHeight() ?? 0
  }

  /** The bar and the price at a place on the pane of the candles, in pixels from its left and top. */
  spotAt(x: number, y: number): Spot | null {
    const [index, price] = [this.#chart.timeScale().coordinateToLogical(x), this.#candles.coordinateToPrice(y)]
    const candle = index === null ? undefined : this.#candle(Math.max(0, Math.min(this.#count() - 1, index)))
    return candle === undefined || price === null ? null : { time: candle.time, price }
  }

  /** Where a bar and a price are now; null when its bar is no longer held. */
  placeOf({ time, price }: Spot): { x: number; y: number } | null {
    const index = this.view.indexOf(time)
    const x = index === null ? null : this.#chart.timeScale().logicalToCoordinate(index as never)
    const y = this.#candles.priceToCoordinate(price)
    return x === null || y === null ? null : { x, y }
  }

  /** Number of bars from one point to a later one. */
  barsBetween(from: Spot, to: Spot): number {
    return (this.view.indexOf(to.time) ?? 0) - (this.view.indexOf(from.time) ?? 0)
  }

  /** The closed bars, for panes below the candles. */
  bars = (): readonly ChartBar[] => this.#bars

  /** The chart of the library, for tools that add to it. */
  get library(): IChartApiBase<Time> {
    return this.#chart
  }

  get palette(): Palette {
    return this.#palette
  }

  /** Tells when there are other bars or colours. Returns a function that ends it. */
  onBars = (listener: () => void): (() => void) => {
    this.#followers.add(listener)
    return () => this.#followers.delete(listener)
  }

  /** Content of the legend; the same object until it changes. */
  reading = (): Reading | null => this.#reading

  /** Tells when the reading changes. Returns a function that ends it. */
  onReading = (listener: () => void): (() => void) => {
    this.#readers.add(listener)
    return () => this.#readers.delete(listener)
  }

  /** Tells when bars may have moved on the screen, within the frame. Returns a function that ends it. */
  onView = (listener: () => void): (() => void) => {
    this.#viewers.add(listener)
    return () => this.#viewers.delete(listener)
  }

  #count(): number {
    return this.#bars.length + this.#open.length
  }

  #candle(index: number): FormingBar | undefined {
    return this.#bars[index] ?? this.#open[index - this.#bars.length]
  }

  /** The bar that is read without a crosshair. */
  #last(): number {
    const last = this.#count() - 1
    return this.#live ? last : Math.max(0, Math.min(last, Math.floor(this.view.places()?.to ?? last)))
  }

  #point(index: number | null): void {
    const pointed = index !== null && index >= 0 && index < this.#count() ? index : null
    if (pointed === this.#pointed) return
    this.#pointed = pointed
    this.#read()
  }

  #choose(index: number): void {
    const bar = this.#bars[index]
    if (bar !== undefined) for (const listener of this.#choosers) listener(bar)
  }

  #read(): void {
    const count = this.#count()
    if (this.#pointed !== null && this.#pointed >= count) this.#pointed = null
    const read = this.#pointed ?? this.#last()
    const candle = this.#candle(read)
    const last = this.#bars.length - 1
    const index = Math.min(read, last)
    this.#reading = candle
      ? {
          candle,
          bar: this.#bars[index] ?? null,
          decision: this.#decisions[index] ?? null,
          pointed: this.#pointed !== null,
          open: read > last,
        }
      : null
    tell(this.#readers)
  }

  #markPrice(): void {
    const newest = this.#candle(this.#count() - 1)
    if (newest === undefined) return
    const color = newest.close >= newest.open ? this.#palette.up : this.#palette.down
    this.#price.applyOptions({
      price: newest.close,
      color,
      axisLabelColor: color,
      lineVisible: this.#live,
      axisLabelVisible: this.#live,
    })
  }

  #drawVolume(): void {
    this.#volume.setData(volumesOf(this.#bars, this.#volumeColumn, this.#palette))
  }

  #chosenIndex(): number | null {
    const index = this.#chosen === null ? null : this.view.indexOf(this.#chosen)
    return index !== null && this.#candle(index)?.time === this.#chosen ? index : null
  }

  #redraw(): void {
    for (const drawing of this.#drawings) drawing.redraw()
  }
}

function tell(listeners: ReadonlySet<() => void>): void {
  for (const listener of listeners) listener()
}
