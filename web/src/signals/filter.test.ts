import { describe, expect, test } from 'vitest'
import { setZone } from '../parts/zone.ts'
import { filterOf, isNarrowed } from './filter.ts'

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
