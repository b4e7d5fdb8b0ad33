import { expect, test } from 'vitest'
import type { DecisionPreview, LevelCounts } from 'vivienne-client'
import { type Effect, effectOf, totalOf } from './previewTotal.ts'

const SIZES = { idle: 0, loaded: 0.1, aim: 0.3, bang: 0.5 }

function counts(change: Partial<LevelCounts>): LevelCounts {
  return {
    idle: 0,
    loaded: 0,
    aim: 0,
    bang: 0,
    undecided: 0,
    held: 0,
    entries: 0,
    exposure: 0,
    sizes: SIZES,
    ...change,
  }
}

function effect(compared: number, differing: number, now: Partial<LevelCounts>, then: Partial<LevelCounts>): Effect {
  // biome-ignore lint/suspicious/noThenProperty: its name on the wire
  const found = { bars: compared, compared, different_bars: differing, now: counts(now), then: counts(then) }
  return effectOf(found as DecisionPreview) as Effect
}

test('previews of several assets add up, exposure by the number of bars', () => {
  const total = totalOf([
    effect(100, 4, { loaded: 3, exposure: 0.2 }, { loaded: 7, exposure: 0.5 }),
    effect(300, 0, { loaded: 1, exposure: 0.6 }, { loaded: 1, exposure: 0.6 }),
  ])
  expect(total).toMatchObject({ bars: 400, compared: 400, differing: 4, now: { loaded: 4 }, after: { loaded: 8 } })
  expect(total?.now.exposure).toBeCloseTo(0.5)
  expect(total?.after.exposure).toBeCloseTo(0.575)
  expect(total?.now.sizes).toEqual(SIZES)
})

test('sizes that differ between assets are not said of all', () => {
  const others = { ...SIZES, bang: 1 }
  const total = totalOf([effect(1, 0, {}, {}), effect(1, 0, { sizes: others }, {})])
  expect([total?.now.sizes, total?.after.sizes]).toEqual([null, SIZES])
})

test('an asset without decided bars has no effect', () => {
  expect(effectOf({ valid: true, errors: [], warnings: [], compared: 0 })).toBeNull()
  expect(totalOf([])).toBeNull()
})
