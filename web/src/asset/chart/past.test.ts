import { describe, expect, test } from 'vitest'
import type { Chart, ChartBar } from 'vivienne-client'
import { begunWith, holding, MOST_KEPT, NO_PAST, shownOf, wantedFor, withFallen, withNewer, withOlder } from './past.ts'

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

  test('stand alone when bars closed that nobody held', () => {
    const past = withOlder(NO_PAST, chart(500, 1_000))
    const later = chart(5_000, 5_300)
    const after = withFallen(past, live, later)
    expect([after?.meets, places(shownOf(after, later))]).toEqual([false, run(500, 1_300)])
    const next = chart(1_300, 1_600)
    expect(withFallen(past, live, next)?.meets, 'the next ones are no hole').toBe(true)
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

describe('a part of the bars', () => {
  const part = (from: number, to: number) => ({ bars: to - from, end: time(to - 1) })
  /** Fetches what is wanted of a record that begins at 0, and says what was asked for. */
  const fetched = (wanted: ReturnType<typeof wantedFor>) => {
    const end = Date.parse(wanted?.before ?? '') / 900_000
    return chart(Math.max(0, end - (wanted?.limit ?? 0)), end)
  }

  test('is held, and nothing is fetched', () => {
    expect(wantedFor(null, live, part(1_000, 1_300))).toBeNull()
    expect(wantedFor(null, live, { bars: 300, end: null })).toBeNull()
    expect(wantedFor(null, live, part(1_200, 1_700)), 'what is still to close').toBeNull()
  })

  test('of which only the end is held is fetched from its beginning', () => {
    const wanted = wantedFor(null, live, part(850, 1_150))
    expect(wanted).toMatchObject({ before: time(1_000), joins: true })
    const past = withOlder(NO_PAST, fetched(wanted))
    expect(wantedFor(past, live, part(850, 1_150))).toBeNull()
    expect(wantedFor(null, live, { bars: 900, end: null }), 'up to the newest').toMatchObject({ limit: 660 })
  })

  test('far away is fetched with as many bars after it as before it, in the place of others', () => {
    const newest = chart(9_000, 9_300)
    const wanted = wantedFor(null, newest, part(4_000, 4_300))
    expect(wanted).toEqual({ before: time(4_650), limit: 1_000, joins: false })
    const past = begunWith(fetched(wanted), newest)
    expect(wantedFor(past, newest, part(4_000, 4_300))).toBeNull()
    expect(wantedFor(past, newest, part(7_000, 7_300)), 'elsewhere').toMatchObject({ joins: false })
    expect(holding(past, newest, time(9_200)), 'at the newest bars').toBeNull()
    expect(wantedFor(past, newest, part(9_000, 9_300))).toBeNull()
  })

  test('larger than a page is fetched page by page, to the beginning of the record at most', () => {
    const newest = chart(9_000, 9_300)
    for (const wide of [part(2_000, 5_000), part(-500, 1_500)]) {
      let past = null as ReturnType<typeof begunWith> | null
      let pages = 0
      for (let wanted = wantedFor(past, newest, wide); wanted !== null; wanted = wantedFor(past, newest, wide)) {
        const page = fetched(wanted)
        past = wanted.joins ? withOlder(past ?? NO_PAST, page) : begunWith(page, newest)
        expect(++pages).toBeLessThan(6)
      }
      expect(places(shownOf(past, newest))[0]).toBeLessThanOrEqual(Math.max(0, 5_000 - wide.bars))
      expect(shownOf(past, newest).bars.some((bar) => bar.time === wide.end)).toBe(true)
    }
  })
})
