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
  /** True if the last of them is the newest there is. */
  live(): boolean
}

/** Places of the first and the last bar in sight, beyond the bars where there is room. */
interface Range {
  readonly from: number
  readonly to: number
}

/** What stays in sight, whichever bars are loaded around it or close meanwhile. */
interface Place {
  /** A bar, wherever it is among those held; null for the newest one. */
  readonly time: string | null
  /** From that bar to the right edge, in bars. */
  readonly beyond: number
  /** From edge to edge, in bars. */
  readonly width: number
}

/** Which bars of a chart are in sight. */
export class ChartView {
  readonly #chart: IChartApiBase<Time>
  readonly #rows: Rows
  readonly #nextFrame: (then: () => void) => void
  #place: Place | null = null
  /** Asked for before there were bars, or a width. */
  #wanted: View | null = null
  /** Asked of the library, which moves in its next frame only and until then tells where it was. */
  #asked: Range | null = null
  /** Where the library stands without a person. Anywhere else is where a person has moved to. */
  #stood: Range | null = null
  /** True while bars change, which moves the library too. */
  #changing = false
  /** The same while the width does. */
  #resizing = false
  #width = 0

  constructor(chart: IChartApiBase<Time>, rows: Rows, nextFrame = inNextFrame) {
    this.#chart = chart
    this.#rows = rows
    this.#nextFrame = nextFrame
    // The library tells of a width before it moves because of it.
    chart.timeScale().subscribeSizeChange((width) => {
      const other = Math.abs(width - this.#width) > OTHER_WIDTH
      const range = chart.timeScale().getVisibleLogicalRange()
      const wasMoved = this.#asked === null && range !== null && !areNear(range, this.#stood)
      this.#width = width
      this.#resizing = true
      if (this.#wanted !== null) this.show(this.#wanted)
      else if (other || !wasMoved) this.#bringBack()
      if (this.#asked === null) this.#resizing = false
    })
    // Who moves between what was asked and the frame in which it is done is not taken back.
    chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (this.#changing || this.#resizing || this.#asked === null || range === null) return
      if (areNear(range, this.#stood) || areNear(range, this.#asked)) return
      this.#place = this.#placeOf(range)
      this.#ask(range)
    })
  }

  /** Brings a part in sight; beyond the data, as much of it as there is. */
  show(view: View): void {
    const count = this.#rows.count()
    const width = this.#chart.timeScale().width()
    if (count === 0 || width === 0) {
      this.#wanted = view
      return
    }
    this.#wanted = null
    this.#width = width
    const bars = Math.max(MIN_BARS, Math.min(view.bars, count))
    const last = view.end === null ? null : this.indexOf(view.end)
    if (view.end === null || (last !== null && last >= count - 1 && this.#rows.live())) this.#showUpToNewest(bars)
    else if (last !== null) this.#keep({ time: view.end, beyond: 0.5, width: Math.max(MIN_BARS, view.bars) })
    else if (bars === count) this.#showUpToNewest(bars)
    else this.#move(-0.5, bars - 0.5)
  }

  /** Takes the part in sight as what stays there, also in another width; null before there is one. */
  keep(): View | null {
    this.#noteMoved()
    return this.current()
  }

  /** The part in sight; null before there is one. */
  current(): View | null {
    const range = this.places()
    if (range === null) return null
    const width = range.to - range.from
    if (this.atNewest()) return { bars: Math.round(withoutRoom(width)), end: null }
    const last = Math.min(this.#rows.count() - 1, Math.max(0, Math.round(range.to - 0.5)))
    return { bars: Math.round(width), end: this.#rows.at(last)?.time ?? null }
  }

  /** Places of the first and the last bar in sight, beyond the bars where there is room; null before there are any. */
  places(): Range | null {
    return this.#rows.count() === 0 || this.#wanted !== null ? null : this.#range()
  }

  /** Number of bars that there are to be seen. */
  count(): number {
    return this.#rows.count()
  }

  /** Back to the newest bar. */
  showNewest(): void {
    const range = this.#range()
    if (range !== null) this.#showUpToNewest(withoutRoom(range.to - range.from))
  }

  /** True if the newest bar is in sight. */
  atNewest(): boolean {
    const range = this.#range()
    return range === null || this.#reachesNewest(range)
  }

  /** Nearer for a factor above 1, around the newest bar in sight. */
  zoom(factor: number): void {
    const range = this.#range()
    if (range !== null) this.#move(range.to - (range.to - range.from) / factor, range.to)
  }

  /** Moves the view just so far that a bar is in it. */
  reveal(index: number): void {
    const range = this.#range()
    if (range === null) return
    const beyond = index < range.from ? index - range.from : index > range.to ? index - range.to : 0
    if (beyond !== 0) this.#move(range.from + beyond, range.to + beyond)
  }

  /** Brings a bar into the middle, if it is out of sight. */
  center(index: number): void {
    const range = this.#range()
    const view = this.current()
    if (range === null || view === null || (index >= range.from && index <= range.to)) return
    const last = Math.min(this.#rows.count() - 1, index + Math.floor(view.bars / 2))
    this.show({ bars: view.bars, end: this.#rows.at(last)?.time ?? null })
  }

  /**
   * Notes what is in sight. What it returns brings it back after other data: at the newest bar the view goes along,
   * elsewhere the same bars stay.
   */
  rememberPlace(): () => void {
    this.#noteMoved()
    this.#changing = true
    return () => {
      // The library tells of a movement when it is asked where it is, and this one is nobody's.
      this.#chart.timeScale().getVisibleLogicalRange()
      this.#changing = false
      if (this.#wanted === null) this.#bringBack()
      else this.show(this.#wanted)
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

  #range(): Range | null {
    return this.#asked ?? this.#chart.timeScale().getVisibleLogicalRange()
  }

  #reachesNewest({ to }: Range): boolean {
    return this.#rows.live() && to >= this.#rows.count() - 1.5
  }

  #showUpToNewest(bars: number): void {
    this.#keep({ time: null, beyond: 0.5 + room(bars), width: bars + room(bars) })
  }

  /** Takes what a person has moved to as what stays. */
  #noteMoved(): void {
    const range = this.#chart.timeScale().getVisibleLogicalRange()
    if (this.#asked !== null || range === null || this.#rows.count() === 0) return
    if (areNear(range, this.#stood)) return
    this.#stood = range
    this.#place = this.#placeOf(range)
  }

  #placeOf(range: Range): Place {
    const last = this.#rows.count() - 1
    const width = range.to - range.from
    if (this.#reachesNewest(range)) return { time: null, beyond: range.to - last, width }
    const index = Math.min(last, Math.max(0, Math.floor(range.to)))
    return { time: this.#rows.at(index)?.time ?? null, beyond: range.to - index, width }
  }

  #move(from: number, to: number): void {
    this.#keep(this.#placeOf({ from, to }))
  }

  #keep(place: Place): void {
    this.#place = place
    this.#bringBack()
  }

  #bringBack(): void {
    const count = this.#rows.count()
    if (this.#place === null || this.#wanted !== null || count === 0 || this.#chart.timeScale().width() === 0) return
    const { time, beyond } = this.#place
    const index = time === null ? count - 1 : this.indexOf(time)
    // Older bars may still be missing that belong to the width.
    const width = time === null ? this.#place.width : Math.min(this.#place.width, count + room(count))
    // Nothing is to the left of the first bar.
    const to = Math.max((index ?? 0) + beyond, width)
    this.#ask({ from: to - width, to })
  }

  #ask(range: Range): void {
    this.#stood = this.#chart.timeScale().getVisibleLogicalRange()
    if (this.#asked === null && !this.#resizing && areNear(range, this.#stood)) return
    this.#asked = range
    this.#chart.timeScale().setVisibleLogicalRange(range)
    this.#nextFrame(() => {
      // Otherwise something else has been asked for since.
      if (this.#asked !== range) return
      this.#asked = null
      this.#resizing = false
      this.#stood = this.#chart.timeScale().getVisibleLogicalRange()
    })
  }
}

/** A width that differs by more pixels shows the same bars, whatever moved; by less, an axis has got wider. */
const OTHER_WIDTH = 60
/** Fewer bars are not shown, whatever an address asks for. */
const MIN_BARS = 5
const LEAST_ROOM = 3
const ROOM = 0.03

/** Comes after what the library has to do in that frame, if it was asked before. */
function inNextFrame(then: () => void): void {
  requestAnimationFrame(then)
}

/** True for the same bars, apart from rounding. */
function areNear(one: Range, other: Range | null): boolean {
  return other !== null && Math.abs(one.from - other.from) < 0.01 && Math.abs(one.to - other.to) < 0.01
}

/** Bars of empty room to the right of so many. */
function room(bars: number): number {
  return Math.max(LEAST_ROOM, bars * ROOM)
}

/** Bars in a width that has their room beside them. */
function withoutRoom(width: number): number {
  return Math.max(width - LEAST_ROOM, 0) < LEAST_ROOM / ROOM ? width - LEAST_ROOM : width / (1 + ROOM)
}
