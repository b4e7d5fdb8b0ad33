import type {
  IPrimitivePaneRenderer,
  ISeriesPrimitive,
  PrimitivePaneViewZOrder,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts'

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0]

/** Canvas of a drawing: the pane of the candles in CSS pixels. */
export interface Scene {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  /** First and last index in sight, with one beyond each edge. */
  readonly from: number
  readonly to: number
  /** Pixels from one bar to the next. */
  readonly spacing: number
  /** Middle of a bar. */
  x(index: number): number
  y(price: number): number
}

/** Something of our own on the pane of a series. */
export class Drawing implements ISeriesPrimitive<Time> {
  readonly #views
  #chart: SeriesAttachedParameter<Time> | null = null

  /**
   * @param order before or behind the candles
   * @param paint called for each frame in which the chart is drawn
   */
  constructor(order: PrimitivePaneViewZOrder, paint: (scene: Scene) => void) {
    const renderer = { draw: (target: Target) => this.#draw(target, paint) }
    this.#views = [{ zOrder: () => order, renderer: () => renderer }]
  }

  attached(chart: SeriesAttachedParameter<Time>): void {
    this.#chart = chart
  }

  detached(): void {
    this.#chart = null
  }

  paneViews() {
    return this.#views
  }

  /** Asks for another frame. */
  redraw(): void {
    this.#chart?.requestUpdate()
  }

  #draw(target: Target, paint: (scene: Scene) => void): void {
    // biome-ignore lint/correctness/useHookAtTopLevel: a method of the canvas, no hook
    target.useMediaCoordinateSpace(({ context, mediaSize: { width, height } }) => {
      const { chart, series } = this.#chart ?? {}
      const scale = chart?.timeScale()
      const visible = scale?.getVisibleLogicalRange()
      if (!series || !scale || !visible) return
      const first = scale.logicalToCoordinate(0 as never) ?? 0
      const spacing = (scale.logicalToCoordinate(1 as never) ?? 0) - first
      paint({
        context,
        width,
        height,
        from: Math.max(0, Math.floor(visible.from) - 1),
        to: Math.ceil(visible.to) + 1,
        spacing,
        x: (index) => first + index * spacing,
        y: (price) => series.priceToCoordinate(price) ?? Number.NaN,
      })
    })
  }
}
