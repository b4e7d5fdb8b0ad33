import { expect, test } from 'vitest'
import type { Configuration, NearestChange } from 'vivienne-client'
import { valueAt, worthNaming } from './named.ts'

const change = (message: string, clarity_level: NearestChange['clarity_level'], held = false): NearestChange => ({
  path: message,
  from: 1,
  to: 2,
  changes: [],
  clarity_level,
  held,
  message,
})
const toIdle = change('Loaded threshold 50 % -> 57.4 %', 'idle')
const toAim = change('Aim threshold 70 % -> 60 %', 'aim', true)
const through = change('Levels buffer 0.3 % -> 0.138 %', 'loaded')

test('of an entry that was held, the change that lets it through comes first, then the smallest', () => {
  expect(worthNaming(true, toIdle, [toIdle, through])).toEqual([through, toIdle])
  expect(worthNaming(true, through, [through, toIdle]), 'it is the smallest').toEqual([through])
  expect(worthNaming(true, toAim, [toAim, toIdle]), 'nothing does').toEqual([toAim])
})

test('of what was not held it is the smallest alone', () => {
  expect(worthNaming(false, toIdle, [toIdle, through])).toEqual([toIdle])
  expect(worthNaming(false, null, [])).toEqual([])
})

test('a value of a configuration is found by its path', () => {
  const configuration = { settings: { state_threshold_loaded: 40 }, filters: { trend: { enabled: false } } }
  const at = (path: string) => valueAt(configuration as unknown as Configuration, path)
  expect([at('settings.state_threshold_loaded'), at('filters.trend.enabled')]).toEqual([40, false])
  expect([at('filters.trend'), at('filters.nope.enabled'), at('settings.state_threshold_loaded.x')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
