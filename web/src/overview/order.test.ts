import { expect, test } from 'vitest'
import { keepOrder } from './order.ts'

test('what is shown stays where it is', () => {
  expect(keepOrder(['A', 'B', 'C'], ['C', 'B', 'A'])).toEqual(['A', 'B', 'C'])
})

test('what is gone leaves, what is new comes last', () => {
  expect(keepOrder(['A', 'B', 'C'], ['D', 'C', 'A'])).toEqual(['A', 'C', 'D'])
})

test('what no longer passes a filter stays while it is pointed at', () => {
  expect(keepOrder(['A', 'B'], ['C', 'A'], ['A', 'B', 'C', 'D'])).toEqual(['A', 'B', 'C'])
})
