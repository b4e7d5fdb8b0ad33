import { expect, test } from 'vitest'
import type { ChartBar } from 'vivienne-client'
import { looked, looksBeside } from './look.ts'

const QUARTER = 15 * 60_000
const NOON = Date.parse('2026-05-04T12:00:00Z')

/** Quarters of an hour from a moment on, whose prices climb by one. */
function quarters(from: number, count: number): ChartBar[] {
  return Array.from({ length: count }, (_, place) => ({
    time: new Date(from + place * QUARTER).toISOString(),
    open: 100 + place,
    high: 101.5 + place,
    low: 99.5 + place,
    close: 101 + place,
    volume: 2,
    quote_volume: place === 0 ? null : 200,
    source: place === 1 ? 'filled' : 'streamed',
  })) as unknown as ChartBar[]
}

test('only longer timeframes that the bars fill are offered', () => {
  expect(looksBeside('15m')).toEqual(['1h', '4h', '1d'])
  expect(looksBeside('4h')).toEqual(['1d'])
  expect(looksBeside('1d')).toEqual([])
})

test('an hour has the first open, the last close, the extremes and the sum of the volumes', () => {
  const { bars, open } = looked(quarters(NOON, 8), [], '15m', '1h')
  expect(bars.map(({ time }) => time)).toEqual(['2026-05-04T12:00:00.000Z', '2026-05-04T13:00:00.000Z'])
  expect(bars[0]).toMatchObject({ open: 100, high: 104.5, low: 99.5, close: 104, volume: 8, quote_volume: 600 })
  expect(bars.map(({ source }) => source)).toEqual(['filled', 'streamed'])
  expect(open).toEqual([])
})

test('the hour that goes on is open, with the price of the bar that goes on', () => {
  const all = quarters(NOON, 7)
  const { bars, open } = looked(all.slice(0, 6), all.slice(6), '15m', '1h')
  expect(bars).toHaveLength(1)
  expect(open).toEqual([
    {
      time: '2026-05-04T13:00:00.000Z',
      open: 104,
      high: 107.5,
      low: 103.5,
      close: 107,
      volume: 6,
      quote_volume: 600,
      source: 'streamed',
    },
  ])
})

test('an hour whose beginning is not held is left out', () => {
  const { bars } = looked(quarters(NOON + QUARTER, 11), [], '15m', '1h')
  expect(bars.map(({ time }) => time)).toEqual(['2026-05-04T13:00:00.000Z', '2026-05-04T14:00:00.000Z'])
})
