import { afterEach, expect, test } from 'vitest'
import { setZone } from '../parts/zone.ts'
import { filterOf, isNarrowed } from './filter.ts'

afterEach(() => setZone('local'))

test('an address says which changes are wanted; days are whole, the last one too', () => {
  setZone('utc')
  const address = new URLSearchParams('asset=BTC&author=+ana+&field=filters.trend&since=2026-02-27&until=2026-02-28')
  expect(filterOf(address)).toEqual({
    layer: 'BTC',
    author: 'ana',
    field: 'filters.trend',
    since: '2026-02-27T00:00:00.000Z',
    until: '2026-03-01T00:00:00.000Z',
  })
})

test('what says nothing leaves nothing out', () => {
  const everything = filterOf(new URLSearchParams('author=&since=yesterday'))
  expect(everything).toEqual({ layer: undefined })
  expect(isNarrowed(everything)).toBe(false)
  expect(isNarrowed(filterOf(new URLSearchParams('asset=global')))).toBe(false)
  expect(isNarrowed(filterOf(new URLSearchParams('reason=calm')))).toBe(true)
})
