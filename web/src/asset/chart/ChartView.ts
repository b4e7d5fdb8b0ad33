import type { IChartApiBase, Time } from 'lightweight-charts'
import type { FormingBar } from 'vivienne-client'

/** Part of the bars that is in sight. */
export interface View {
  /** Number of bars, without the room to the right of the newest one. */
  readonly bars: number
  /** When the last of them opened; null for the newest bar, which the view then follows. */
  readonly end: string | null
}

/** What a view is of: bars by their place, oldest first. */
export interface Rows {
  count(): number
  at(index: number): FormingBar | undefined
}

/** Which bars of a chart are in sight. */
export class ChartView {
  readonly #chart: IChartApiBase<Time>
  readonly #rows: Rows
  /** Asked for before there were bars, or a width. */
  #wanted: View | null = null
  /** What was shown last, to be shown again in another width. */
  #kept: View | null = null
  #width = 0

  constructor(chart: IChartApiBase<Time>, rows: Rows) {
    this.#chart = chart
    this.#rows = rows
    chart.timeScale().subscribeSizeChange((width) => {
      const view = this.#wanted ?? (Math.abs(width - this.#width) > OTHER_WIDTH ? this.#kept : null)
      this.#width = width
      if (view !== null) this.show(view)
    })
  }

  /** Brings a part in sight; beyond the data, as much of it as there is. */
  show(view: View): void {
    const count = this.#rows.count()
    if (count === 0 || this.#chart.timeScale().width() === 0) {
      this.#wanted = view
      return
    }
    this.#wanted = null
    this.#kept = view
    this.#width = this.#chart.timeScale().width()
    const bars = Math.max(MIN_BARS, Math.min(view.bars, count))
    const last = view.end === null ? null : this.indexOf(view.end)
    if (last === null || last >= count - 1) this.#showUpToNewest(bars)
    else this.#set(last + 0.5 - bars, last + 0.5)
  }

  /** Takes the part in sight as what is to be shown, also in another width; null before there is one. */
  keep(): View | null {
    const view = this.current()
    if (view !== null) this.#kept = view
    return view
  }

  /** The part in sight; null before there is one. */
  current(): View | null {
    const range = this.#range()
    if (range === null || this.#rows.count() === 0 || this.#wanted !== null) return null
    const width = range.to - range.from
    if (this.atNewest()) return { bars: Math.round(withoutRoom(width)), end: null }
    return { bars: Math.round(width), end: this.#rows.at(Math.max(0, Math.round(range.to - 0.5)))?.time ?? null }
  }

  /** Places of the first and the last bar in sight, beyond the bars where there is room; null before there are any. */
  places(): { readonly from: number; readonly to: number } | null {
    const range = this.#range()
    return range === null || this.#rows.count() === 0 || this.#wanted !== null ? null : range
  }

  /** Back to the newest bar. */
  showNewest(): void {
    const range = this.#range()
    if (range !== null) this.#showUpToNewest(withoutRoom(range.to - range.from))
  }

  /** True if the newest bar is in sight. */
  atNewest(): boolean {
    const range = this.#range()
    return range === null || range.to >= this.#rows.count() - 1.5
  }

  /** Nearer for a factor above 1, around the newest bar in sight. */
  zoom(factor: number): void {
    const range = this.#range()
    if (range !== null) this.#set(range.to - (range.to - range.from) / factor, range.to)
  }

  /** Moves the view just so far that a bar is in it. */
  reveal(index: number): void {
    const range = this.#range()
    if (range === null) return
    const beyond = index < range.from ? index - range.from : index > range.to ? index - range.to : 0
    if (beyond !== 0) this.#set(range.from + beyond, range.to + beyond)
  }

  /**
   * Notes what is in sight. What it returns brings it back after other data: at the newest bar the view goes along,
   * elsewhere the same bars stay, which the library does not see to when bars fall away at the left.
   */
  rememberPlace(): () => void {
    const scale = this.#chart.timeScale()
    const range = this.#range()
    if (range === null) return () => {}
    if (this.atNewest()) {
      const position = scale.scrollPosition()
      return () => scale.scrollToPosition(position, false)
    }
    const index = Math.max(0, Math.floor(range.from))
    const time = this.#rows.at(index)?.time
    return () => {
      const moved = time === undefined ? 0 : (this.indexOf(time) ?? 0) - index
      this.#set(range.from + moved, range.to + moved)
    }
  }

  /** Which bar a moment is in; null before the data. */
  indexOf(time: string): number | null {
    let [low, high] = [0, this.#rows.count()]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#rows.at(middle)?.time ?? '') <= time) low = middle + 1
      else high = middle
    }
    return low === 0 ? null : low - 1
  }

  #range() {
    return this.#chart.timeScale().getVisibleLogicalRange()
  }

  #showUpToNewest(bars: number): void {
    const count = this.#rows.count()
    this.#set(count - bars - 0.5, count - 0.5 + room(bars))
  }

  #set(from: number, to: number): void {
    this.#chart.timeScale().setVisibleLogicalRange({ from, to })
  }
}

/** A width that differs by more pixels shows the same bars; by less, an axis has got wider. */
const OTHER_WIDTH = 60
/** Fewer bars are not shown, whatever an address asks for. */
const MIN_BARS = 5
const LEAST_ROOM = 3
const ROOM = 0.03

/** Bars of empty room to the right of so many. */
function room(bars: number): number {
  return Math.max(LEAST_ROOM, bars * ROOM)
}

/** Bars in a width that has their room beside them. */
function withoutRoom(width: number): number {
  return Math.max(width - LEAST_ROOM, 0) < LEAST_ROOM / ROOM ? width - LEAST_ROOM : width / (1 + ROOM)
}
