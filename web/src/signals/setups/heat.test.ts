import { expect, test } from 'vitest'
import { heatGrid, heatPaths, keyOf, shadeOf, spanOfCell } from './heat.ts'

const day = (number: number) => new Date(Date.UTC(2026, 4, number)).toISOString()

test('days are columns; a day on which nothing was decided stays empty', () => {
  const grid = heatGrid({
    unit: 'day',
    times: [day(4), day(5), day(7)],
    bars: [96, 96, 48],
    filters: [{ filter: 'trend', shares: [0, 0.5, 1] }],
  })
  if (grid === null) throw new Error('There is a grid')
  const [trend] = grid.filters
  expect([grid.columns, grid.rows, trend?.share]).toEqual([4, 1, 0.4])
  expect([...(trend?.cells.values() ?? [])].map(({ column, share }) => [column, share])).toEqual([
    [0, 0],
    [1, 0.5],
    [3, 1],
  ])
  expect([0, 0.01, 0.5, 1].map(shadeOf)).toEqual([0, 1, 4, 8])
  expect(trend && heatPaths(trend).get(4)).toBe('M1 0h1v1h-1z')
})

test('hours are rows of their day', () => {
  const hour = '2026-05-05T14:00:00.000Z'
  const grid = heatGrid({
    unit: 'hour',
    times: [day(4), hour],
    bars: [4, 4],
    filters: [{ filter: 'trend', shares: [0, 1] }],
  })
  const cell = grid?.filters[0]?.cells.get(keyOf(1, 14))
  if (grid === null || cell === undefined) throw new Error('There is a cell')
  expect(spanOfCell(grid, cell).map((moment) => new Date(moment).toISOString())).toEqual([
    hour,
    '2026-05-05T15:00:00.000Z',
  ])
})

test('of many years several days share a column, each bar counting alike', () => {
  const times = Array.from({ length: 800 }, (_, place) => day(place))
  const grid = heatGrid({
    unit: 'day',
    times,
    bars: times.map((_, place) => (place === 0 ? 3 : 1)),
    filters: [{ filter: 'trend', shares: times.map((_, place) => (place === 0 ? 1 : 0)) }],
  })
  expect([grid?.days, grid?.columns]).toEqual([3, 267])
  expect(grid?.filters[0]?.cells.get(0)).toMatchObject({ bars: 5, share: 0.6 })
})

test('nothing was decided', () => {
  expect(heatGrid({ unit: 'day', times: [], bars: [], filters: [] })).toBeNull()
})
