import { expect, test } from 'vitest'
import { areaPath, linePath, nearest, rangeOf, scale } from './scale.ts'

test('values become pixels, and those of no range stay where they are', () => {
  expect([0, 5, 10].map(scale(0, 10, 100, 0))).toEqual([100, 50, 0])
  expect(scale(3, 3, 20, 80)(3)).toBe(20)
})

test('the range of curves has zero in it, and never no height', () => {
  expect(rangeOf([1, 2], [0.5])).toEqual([-0.12, 2.12])
  expect(rangeOf([0, 0])).toEqual([-1, 1])
  expect(rangeOf([])).toEqual([-1, 1])
})

test('paths of a line and of the area between two', () => {
  expect(linePath([0, 10.04], [5, 6.26])).toBe('M0 5L10 6.3')
  expect(areaPath([0, 10], [9, 8], [1, 2])).toBe('M0 1L10 2L10 8L0 9Z')
  expect([linePath([], []), areaPath([], [], [])]).toEqual(['', ''])
})

test('the nearest point', () => {
  expect([-5, 4, 6, 100].map((value) => nearest([0, 10, 20], value))).toEqual([0, 0, 1, 2])
  expect([nearest([7], 3), nearest([], 3)]).toEqual([0, -1])
})
