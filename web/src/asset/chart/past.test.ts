import { describe, expect, test } from 'vitest'
import type { Chart, ChartBar } from 'vivienne-client'
import { begunWith, MOST_KEPT, shownOf, withFallen, withNewer, withOlder } from './past.ts'

const time = (place: number) => new Date(place * 900_000).toISOString()
const chart = (from: number, to: number, more: Partial<Chart> = {}) =>
  ({
    asset: 'BTC',
    timeframe: '15m',
    bars: Array.from({ length: to - from }, (_, place) => ({ time: time(from + place) }) as ChartBar),
    forming: null,
    changes: [],
    next: from > 0 ? time(from) : null,
    ...more,
  }) as unknown as Chart
const places = ({ bars }: Pick<Chart, 'bars'>) => bars.map((bar) => Date.parse(bar.time) / 900_000)
const run = (from: number, to: number) => Array.from({ length: to - from }, (_, place) => from + place)
const live = chart(1_000, 1_300)

describe('older bars', () => {
  test('come before those that are followed, page by page, to the beginning', () => {
    let past = withOlder({ bars: [], changes: [], meets: true, whole: false }, chart(500, 1_000))
    past = withOlder(past, chart(0, 500))
    expect([past.meets, past.whole]).toEqual([true, true])
    expect(places(shownOf(past, live))).toEqual(run(0, 1_300))
  })

  test('around a moment far away are shown alone, until they meet those that are followed', () => {
    let past = begunWith(chart(100, 600), live)
    expect([past.meets, places(shownOf(past, live))]).toEqual([false, run(100, 600)])
    past = withNewer(past, chart(500, 1_050), live)
    expect([past.meets, places(shownOf(past, live))]).toEqual([true, run(100, 1_300)])
  })

  test('meet those that are followed across a hole in the record', () => {
    const past = withNewer(begunWith(chart(100, 600), live), chart(400, 600), live)
    expect([past.meets, places(shownOf(past, live))]).toEqual([true, [...run(100, 600), ...run(1_000, 1_300)]])
  })

  test('take what falls away on the left while newer bars close', () => {
    const past = withOlder({ bars: [], changes: [], meets: true, whole: false }, chart(500, 1_000))
    const later = chart(1_002, 1_302)
    expect(places(shownOf(withFallen(past, live, later), later))).toEqual(run(500, 1_302))
  })

  test('are bounded: the newest of them go, and they are shown alone', () => {
    let past = withOlder({ bars: [], changes: [], meets: true, whole: false }, chart(50_000, 51_000))
    for (let begin = 50_000; past.meets; begin -= 1_000) past = withOlder(past, chart(begin - 1_000, begin))
    expect([past.bars.length, past.bars.at(-1)?.time]).toEqual([MOST_KEPT, time(50_000 - 1)])
  })

  test('have the changes of all pages, each once', () => {
    const change = (version: number) => ({ version, time: time(version) })
    const past = withOlder(
      { bars: [], changes: [change(7)], meets: true, whole: false },
      chart(0, 1_000, { changes: [change(3), change(7)] }),
    )
    expect(shownOf(past, { ...live, changes: [change(9)] }).changes.map(({ version }) => version)).toEqual([3, 7, 9])
  })
})
