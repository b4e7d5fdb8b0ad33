import { describe, expect, test } from 'vitest'
import { setZone } from '../parts/zone.ts'
import { filterOf, ignoredDaysOf, ignoredOf, isNarrowed } from './filter.ts'

const of = (text: string) => filterOf(new URLSearchParams(text))

describe('the filter of signals in an address', () => {
  test('is what the record is asked for', () => {
    setZone('utc')
    expect(
      of('asset=BTC,ETH&kind=held&level=bang&side=long&by=levels&version=7&since=2026-05-04&until=2026-05-05'),
    ).toEqual({
      asset: ['BTC', 'ETH'],
      held: true,
      raw_level: 'bang',
      side: 'long',
      blocked_by: 'levels',
      version: 7,
      from: '2026-05-04T00:00:00.000Z',
      to: '2026-05-06T00:00:00.000Z',
    })
    expect(of('kind=fired')).toEqual({ held: false })
  })

  test('leaves out what it says wrongly', () => {
    const filter = of('kind=some&level=idle&side=up&version=-1&since=yesterday&until=')
    expect([filter, isNarrowed(filter)]).toEqual([{}, false])
  })
})

describe('what an address says wrongly', () => {
  const ignored = (text: string, filters?: string[]) => ignoredOf(new URLSearchParams(text), filters)

  test('is said, with what would be right', () => {
    expect(ignored('level=foo&kind=some&side=up&version=abc&since=garbage')).toEqual([
      '"some" is not a kind: there are fired and held',
      '"foo" is not a level: there are loaded, aim and bang',
      '"up" is not a side: there are long and short',
      '"abc" is not a version: it is a number from 1 on',
      '"garbage" is not a day, such as 2026-05-04',
    ])
    expect(ignoredDaysOf(new URLSearchParams('until=2026-13-99x'))).toEqual([
      '"2026-13-99x" is not a day, such as 2026-05-04',
    ])
  })
  test('is nothing of what is right or empty', () => {
    expect(ignored('level=bang&kind=fired&side=&version=7&since=2026-05-04&other=x')).toEqual([])
  })
  test('is a filter only once it is known which there are', () => {
    expect(ignored('by=nope')).toEqual([])
    expect(ignored('by=nope', ['trend', 'levels'])).toEqual(['"nope" is not a filter: there are trend and levels'])
    expect(filterOf(new URLSearchParams('by=nope'), ['trend'])).toEqual({})
    expect(filterOf(new URLSearchParams('by=nope'))).toEqual({ blocked_by: 'nope' })
  })
})
