import { expect, test } from 'vitest'
import { unusual, weakest } from './sources.ts'

test('of several bars the weakest source counts', () => {
  expect(weakest([null, null])).toBeNull()
  expect(weakest(['streamed', 'filled', 'streamed'])).toBe('filled')
  expect(weakest(['incomplete', 'filled'])).toBe('incomplete')
})

test('bars of before the start are always filled, which is worth no word', () => {
  expect(unusual({ source: 'filled', recomputed: true })).toBeNull()
  expect(unusual({ source: 'filled', recomputed: false })).toBe('filled')
  expect(unusual({ source: 'incomplete', recomputed: true })).toBe('incomplete')
  expect([unusual({ source: 'pushed', recomputed: false }), unusual({ source: null, recomputed: false })]).toEqual([
    null,
    null,
  ])
})
