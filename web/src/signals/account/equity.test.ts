import { expect, test } from 'vitest'
import { equityShape, nearestPoint, ticksBetween } from './equity.ts'

const times = ['2026-05-04T00:00:00.000Z', '2026-05-04T00:15:00.000Z', '2026-05-04T01:00:00.000Z']

test('a curve has its points at their times, and gains are counted from the beginning', () => {
  const shape = equityShape({ times, equity: [100, 101, 99] })
  expect(shape.points.map(({ x, percent }) => [x, percent])).toEqual([
    [0, 0],
    [0.25, 1],
    [1, -1],
  ])
  expect(shape.beginning).toBeCloseTo(0.5)
  expect(shape.line).toMatch(/^M0 0\.5L0\.25 0\.0\d+L1 0\.9\d+$/)
  expect(shape.ticks.map(({ percent }) => percent)).toEqual([-1, -0.5, 0, 0.5, 1])
  expect(nearestPoint(shape.points, 0.5)?.percent).toBe(1)
})

test('an account that did nothing, or has one bar or none, has a curve without a form', () => {
  expect(equityShape({ times, equity: [100, 100, 100] }).points.every(({ y }) => y === 0.5)).toBe(true)
  expect(equityShape({ times: times.slice(0, 1), equity: [100] }).line).toBe('')
  expect(equityShape({ times: [], equity: [] })).toMatchObject({ line: '', area: '', points: [] })
})

test('ticks are round numbers, however small the gains', () => {
  expect(ticksBetween(-0.0157, 0)).toEqual([-0.015, -0.01, -0.005, 0])
  expect(ticksBetween(-3, 12)).toEqual([0, 5, 10])
  expect(ticksBetween(0, 0)).toEqual([0])
})
