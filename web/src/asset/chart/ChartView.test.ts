import type { IChartApiBase, Time } from 'lightweight-charts'
import { expect, test } from 'vitest'
import type { FormingBar } from 'vivienne-client'
import { ChartView } from './ChartView.ts'

interface Range {
  from: number
  to: number
}

const time = (place: number) => new Date(Date.UTC(2026, 4, 4, 12, place)).toISOString()

/**
 * As much of the library's chart as a view needs, with the bars from one place to another, a minute each. As the library
 * does, it moves in its next frame, and not beyond the first bar.
 */
function chartOf(first: number, end: number) {
  let range: Range | null = null
  let asked: Range | null = null
  let then: (() => void)[] = []
  let resized: (width: number) => void = () => {}
  let told: (range: Range) => void = () => {}
  let width = 800
  let [from, to, live] = [first, end, true]
  const move = (next: Range) => {
    const beyond = Math.max(0, -next.from)
    range = { from: next.from + beyond, to: next.to + beyond }
    told(range)
  }
  const scale = {
    width: () => width,
    getVisibleLogicalRange: () => range,
    setVisibleLogicalRange: (next: Range) => {
      asked = next
    },
    subscribeSizeChange: (listener: typeof resized) => {
      resized = listener
    },
    subscribeVisibleLogicalRangeChange: (listener: typeof told) => {
      told = listener
    },
  }
  const view = new ChartView(
    { timeScale: () => scale } as unknown as IChartApiBase<Time>,
    {
      count: () => to - from,
      at: (index) => (index >= 0 && index < to - from ? ({ time: time(from + index) } as FormingBar) : undefined),
      live: () => live,
    },
    (next) => then.push(next),
  )
  return {
    view,
    /** What a person does. */
    move,
    frame: () => {
      if (asked !== null) move(asked)
      asked = null
      for (const next of then.splice(0)) next()
      then = []
    },
    /** Other bars. The library keeps the distance to the right end. */
    hold: (nextFrom: number, nextTo: number, isLive = true) => {
      const comeBack = view.rememberPlace()
      const added = nextTo - nextFrom - (to - from)
      ;[from, to, live] = [nextFrom, nextTo, isLive]
      if (range !== null) move({ from: range.from + added, to: range.to + added })
      comeBack()
    },
    /** The library tells of it first, and then keeps the right edge and the width of a bar. */
    resize: (next: number) => {
      const before = width
      width = next
      resized(next)
      if (range === null) return
      move({ from: range.to + 1 - ((range.to - range.from + 1) * next) / before, to: range.to })
    },
    /** Places of the bars at the edges, whichever are held. */
    edges: () => range && [range.from + from, range.to + from].map((place) => Math.round(place * 10) / 10),
  }
}

test('the part in sight is the one that was shown, at the newest bar and away from it', () => {
  const { view, frame } = chartOf(0, 500)
  for (const wanted of [
    { bars: 40, end: null },
    { bars: 300, end: null },
    { bars: 60, end: time(200) },
  ]) {
    view.show(wanted)
    expect(view.current(), 'before the library has moved').toEqual(wanted)
    frame()
    expect(view.current()).toEqual(wanted)
  }
})

test('a part beyond the data is as much of it as there is', () => {
  const { view, frame } = chartOf(0, 100)
  view.show({ bars: 1_000, end: '2020-01-01T00:00:00.000Z' })
  frame()
  expect(view.current()).toEqual({ bars: 100, end: null })
})

test('in another width the same bars are shown, whatever moved in between', () => {
  const { view, move, resize, frame } = chartOf(0, 500)
  view.show({ bars: 100, end: null })
  frame()
  move({ from: 300, to: 502 })
  resize(1_400)
  frame()
  expect(view.current()?.bars).toBe(100)
  move({ from: 300, to: 502 })
  resize(1_410)
  frame()
  expect(view.current()?.bars, 'an axis that got wider takes no movement back').not.toBe(100)
  view.show({ bars: 100, end: time(300) })
  frame()
  resize(1_390)
  frame()
  expect(view.current(), 'nor does it move anything').toEqual({ bars: 100, end: time(300) })
})

test('the same bars stay while new ones close and old ones fall away, however many come before a frame', () => {
  const { view, hold, frame, edges } = chartOf(0, 1_000)
  view.show({ bars: 100, end: time(600) })
  frame()
  const before = edges()
  for (let closed = 1; closed <= 60; closed++) {
    hold(closed, 1_000 + closed)
    if (closed % 3 === 0) frame()
  }
  expect(edges()).toEqual(before)
  hold(-500, 1_060)
  frame()
  expect(edges(), 'with older bars before them').toEqual(before)
  hold(200, 900, false)
  frame()
  expect(edges(), 'without the newest').toEqual(before)
})

test('a part is complete once the older bars of it have come', () => {
  const { view, hold, frame, edges } = chartOf(700, 1_000)
  view.show({ bars: 300, end: time(800) })
  frame()
  expect(edges()?.[0], 'as far back as there is').toBe(700)
  hold(200, 1_000)
  frame()
  expect(edges()).toEqual([500.5, 800.5])
  expect(view.current()).toEqual({ bars: 300, end: time(800) })
})

test('bars that are shown alone end before the newest one, which the view then does not follow', () => {
  const { view, hold, frame, edges } = chartOf(0, 1_000)
  view.show({ bars: 100, end: null })
  frame()
  hold(-3_000, -2_000, false)
  view.show({ bars: 100, end: time(-2_001) })
  frame()
  expect([view.atNewest(), view.current()]).toEqual([false, { bars: 100, end: time(-2_001) }])
  hold(-3_000, -1_500, false)
  frame()
  expect(edges()?.[1], 'newer ones come behind it').toBe(-2_000.5)
  view.showNewest()
  hold(0, 1_000)
  frame()
  expect([view.atNewest(), view.current()?.end]).toEqual([true, null])
})

test('the newest bar stays in sight while new ones close', () => {
  const { view, hold, frame } = chartOf(0, 1_000)
  view.show({ bars: 100, end: null })
  frame()
  hold(1, 1_001)
  hold(1, 1_002)
  frame()
  expect(view.current()).toEqual({ bars: 100, end: null })
})

test('a person who moves before the library has done what was asked is not taken back', () => {
  const { view, hold, move, frame, edges } = chartOf(0, 1_000)
  view.show({ bars: 100, end: time(600) })
  frame()
  hold(1, 1_001)
  move({ from: 300, to: 400 })
  frame()
  expect(edges()).toEqual([301, 401])
  hold(2, 1_002)
  frame()
  expect(edges()).toEqual([301, 401])
})

test('a bar that is out of sight gets into the middle, one in sight moves nothing', () => {
  const { view, frame, edges } = chartOf(0, 1_000)
  view.show({ bars: 100, end: time(600) })
  frame()
  view.center(550)
  frame()
  expect(edges()).toEqual([500.5, 600.5])
  view.center(200)
  frame()
  expect(edges()).toEqual([150.5, 250.5])
})
