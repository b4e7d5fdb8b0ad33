import { expect, test } from 'vitest'
import type { AssetState, Chart, ChartBar, FormingBar } from 'vivienne-client'
import { mergeBars, newestClosed, openAfter, withClosed, withForming } from './bars.ts'

const at = (clock: string) => `2026-01-01T${clock}:00.000Z`
const bar = (clock: string, close = 1) => ({ time: at(clock), close }) as ChartBar
const open = (clock: string, prices: Partial<FormingBar> = {}): FormingBar => ({
  time: at(clock),
  open: 10,
  high: 10,
  low: 10,
  close: 10,
  volume: null,
  quote_volume: null,
  source: null,
  ...prices,
})
const state = (clock: string, price: number, more: Partial<AssetState> = {}) =>
  ({ price, price_time: at(clock), timeframe: '15m', bar_time: at('12:00'), bar_closed: true, ...more }) as AssetState
const lastClosed = Date.parse(at('12:00'))

test('newer bars go behind the held ones, replace those of the same time, and push the oldest out', () => {
  const merged = mergeBars([bar('11:30'), bar('11:45'), bar('12:00')], [bar('12:00', 2), bar('12:15')], 3)
  expect(merged?.map(({ time, close }) => [time, close])).toEqual([
    [at('11:45'), 1],
    [at('12:00'), 2],
    [at('12:15'), 1],
  ])
})

test('bars that do not meet are not merged', () => {
  expect(mergeBars([bar('11:30')], [bar('12:00')], 3)).toBeNull()
  expect(mergeBars([], [bar('12:00')], 3)).toBeNull()
})

test('a bar that has just closed goes behind the last one and pushes the oldest out', () => {
  const chart = { timeframe: '15m', bars: [bar('11:30'), bar('11:45')], forming: open('12:00') } as unknown as Chart
  const after = withClosed(chart, bar('12:00', 5), 2)
  expect(after?.bars.map(({ time, close }) => [time, close])).toEqual([
    [at('11:45'), 1],
    [at('12:00'), 5],
  ])
  expect(after?.forming).toBeNull()
  expect(chart.bars.length).toBe(2)
})

test('a bar that does not follow the last one is not taken', () => {
  const chart = { timeframe: '15m', bars: [bar('11:45')], forming: null } as unknown as Chart
  expect(withClosed(chart, bar('12:15'), 3)).toBeNull()
  expect(withClosed(chart, bar('11:45'), 3)).toBeNull()
  expect(withClosed({ ...chart, bars: [] }, bar('11:45'), 3)).toBeNull()
})

test('a bar decided while open is not taken for a closed one', () => {
  expect(newestClosed(state('12:20', 1))).toBe(lastClosed)
  expect(newestClosed(state('12:20', 1, { bar_closed: false }))).toBe(Date.parse(at('11:45')))
  expect(newestClosed(state('12:20', 1, { bar_time: null }))).toBeNull()
})

test('a price moves the open bar', () => {
  const [moved] = openAfter([open('12:15')], state('12:20', 12), lastClosed)
  expect(moved).toEqual(open('12:15', { high: 12, close: 12 }))
})

test('a price that changes nothing gives the same bars back', () => {
  const before = [open('12:15')]
  expect(openAfter(before, state('12:20', 10), lastClosed)).toBe(before)
})

test('the price at the very begin of a bar closes the one before and opens none', () => {
  const after = openAfter([open('12:15')], state('12:30', 9), lastClosed)
  expect(after).toEqual([open('12:15', { low: 9, close: 9 })])
})

test('a price of the next bar opens it, while the one before waits to be fetched', () => {
  const after = openAfter([open('12:15')], state('12:31', 9), lastClosed)
  expect(after).toEqual([open('12:15'), open('12:30', { open: 9, high: 9, low: 9, close: 9 })])
})

test('bars that were fetched as closed are open no more', () => {
  expect(openAfter([open('12:00'), open('12:15')], state('12:20', 10), lastClosed)).toEqual([open('12:15')])
})

test('the open bar of the server has what was before the page, the page what came since', () => {
  const seen = [open('12:15', { open: 11, high: 15, low: 11, close: 15 })]
  const known = open('12:15', { open: 10, high: 14, low: 8, close: 14, volume: 3 })
  expect(withForming(seen, known, lastClosed)).toEqual([
    open('12:15', { open: 10, high: 15, low: 8, close: 15, volume: 3 }),
  ])
})

test('an open bar of the server that has closed meanwhile is left out', () => {
  expect(withForming([], open('12:00'), lastClosed)).toEqual([])
})
