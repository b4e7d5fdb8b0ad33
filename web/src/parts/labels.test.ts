import { expect, test } from 'vitest'
import { spread } from './labels.ts'

const labels = (...places: number[]) => places.map((at) => ({ at, width: 8 }))

test('labels with room stand where they belong', () => {
  expect(spread(labels(50, 70, 80))).toEqual([50, 70, 80])
})

test('the one between two near ones stays, and all of them move a little', () => {
  expect(spread(labels(68, 70, 72))).toEqual([62, 70, 78])
  expect(spread(labels(50, 70, 72))).toEqual([50, 67, 75])
})

test('none leaves the scale', () => {
  expect(spread(labels(98, 99, 100))).toEqual([80, 88, 96])
  expect(spread(labels(0, 0, 0))).toEqual([4, 12, 20])
})
