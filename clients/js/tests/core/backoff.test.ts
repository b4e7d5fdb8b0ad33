import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reconnectDelay } from '../../src/backoff.js'

test('a delay is anywhere between the floor and a bound that doubles up to the longest', () => {
  const attempts = [0, 1, 2, 3, 6, 7, 1000]
  const longest = attempts.map((attempt) => reconnectDelay(attempt, 500, 30_000, () => 1))
  expect(longest).toEqual([500, 1000, 2000, 4000, 30_000, 30_000, 30_000])
  expect(attempts.map((attempt) => reconnectDelay(attempt, 500, 30_000, () => 0))).toEqual(attempts.map(() => 100))
  expect(reconnectDelay(2, 500, 30_000, () => 0.25)).toEqual(500)
})

test('no settings make it a hot loop or a delay beyond the longest', () => {
  const delays = fc.record({
    attempt: fc.nat(5000),
    first: fc.integer({ min: 0, max: 100_000 }),
    longest: fc.integer({ min: 0, max: 1_000_000 }),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(delays, ({ attempt, first, longest, random }) => {
      const delay = reconnectDelay(attempt, first, longest, () => random)
      expect([delay >= 100, delay <= Math.max(100, longest)]).toEqual([true, true])
    }),
  )
})
