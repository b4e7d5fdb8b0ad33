import { expect, test } from 'vitest'
import { setZone } from '../parts/zone.ts'
import { ignoredSpanOf, judgedSpan, spanOf } from './span.ts'

const NEWEST = Date.parse('2026-05-31T12:00:00Z')
const judged = (text: string) => judgedSpan(spanOf(new URLSearchParams(text)), NEWEST)

test('the last 30 days up to the newest bar are judged unless the address has another span', () => {
  setZone('utc')
  expect(judged('')).toEqual({ from: '2026-05-01T12:00:00.000Z' })
  expect(judged('span=7d&asset=BTC,ETH')).toEqual({ asset: ['BTC', 'ETH'], from: '2026-05-24T12:00:00.000Z' })
  expect(judged('span=all')).toEqual({})
  expect(judged('span=some&since=nonsense')).toEqual(judged(''))
})

test('days of the calendar take the place of a span', () => {
  setZone('utc')
  expect(judged('span=7d&since=2026-05-04&until=2026-05-05')).toEqual({
    from: '2026-05-04T00:00:00.000Z',
    to: '2026-05-06T00:00:00.000Z',
  })
  expect(judged('until=2026-05-05')).toEqual({ to: '2026-05-06T00:00:00.000Z' })
})

test('a span that is not there is said', () => {
  expect(ignoredSpanOf(new URLSearchParams('span=some&since=nonsense'))).toEqual([
    '"some" is not a span: there are 1d, 7d, 30d, 90d, 365d, all',
    '"nonsense" is not a day, such as 2026-05-04',
  ])
  expect(ignoredSpanOf(new URLSearchParams('span=7d&since=2026-05-04'))).toEqual([])
})
