import type { IChartApiBase, Time } from 'lightweight-charts'
import { expect, test } from 'vitest'
import type { FormingBar } from 'vivienne-client'
import { ChartView } from './ChartView.ts'

/** As much of the library's chart as a view needs, with as many bars as asked for, a minute each. */
function chartOf(count: number) {
  let range: { from: number; to: number } | null = null
  let resized: (width: number) => void = () => {}
  let width = 800
  const scale = {
    width: () => width,
    getVisibleLogicalRange: () => range,
    setVisibleLogicalRange: (next: { from: number; to: number }) => {
      range = next
    },
    subscribeSizeChange: (listener: typeof resized) => {
      resized = listener
    },
  }
  const time = (index: number) => new Date(Date.UTC(2026, 4, 4, 12, index)).toISOString()
  const view = new ChartView({ timeScale: () => scale } as unknown as IChartApiBase<Time>, {
    count: () => count,
    at: (index) => (index >= 0 && index < count ? ({ time: time(index) } as FormingBar) : undefined),
  })
  return {
    view,
    time,
    scale,
    resize: (next: number) => {
      width = next
      resized(next)
    },
  }
}

test('the part in sight is the one that was shown, at the newest bar and away from it', () => {
  const { view, time } = chartOf(500)
  for (const wanted of [
    { bars: 40, end: null },
    { bars: 300, end: null },
    { bars: 60, end: time(200) },
  ]) {
    view.show(wanted)
    expect(view.current()).toEqual(wanted)
  }
})

test('a part beyond the data is as much of it as there is', () => {
  const { view } = chartOf(100)
  view.show({ bars: 1_000, end: '2020-01-01T00:00:00.000Z' })
  expect(view.current()).toEqual({ bars: 100, end: null })
})

test('in another width the same bars are shown, whatever moved in between', () => {
  const { view, scale, resize } = chartOf(500)
  view.show({ bars: 100, end: null })
  scale.setVisibleLogicalRange({ from: 300, to: 502 })
  resize(1_400)
  expect(view.current()?.bars).toBe(100)
  scale.setVisibleLogicalRange({ from: 300, to: 502 })
  resize(1_410)
  expect(view.current()?.bars, 'an axis that got wider changes nothing').not.toBe(100)
})
