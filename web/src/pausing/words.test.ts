import { describe, expect, test } from 'vitest'
import type { PauseEntry } from 'vivienne-client'
import { disagree, namesWords, pausedSentence, pausedState, resumptionWords, unexplained } from './words.ts'

const of = (...layers: (string | null)[]) => layers.map((asset_symbol) => ({ asset_symbol }))
const at = (asset: string, status: string) => ({ asset, status })

test('a few names are said, of many how many there are', () => {
  expect(namesWords(['BTC'])).toBe('BTC')
  expect(namesWords(['BTC', 'ETH'])).toBe('BTC and ETH')
  expect(namesWords(['A', 'B', 'C', 'D'])).toBe('A, B, C and D')
  expect(namesWords(['A', 'B', 'C', 'D', 'E'])).toBe('A, B, C and 2 more')
})

test('a pause says by whom and why; that of all assets is explained by the frame', () => {
  const pause = { asset_symbol: 'BTC', author: 'ana', reason: 'wrong prices' } as PauseEntry
  expect(pausedState({ pause, trouble: null })).toBe('by ana: wrong prices')
  expect(pausedState({ pause: { ...pause, reason: null }, trouble: null })).toBe('by ana')
  expect(pausedState({ pause: { ...pause, asset_symbol: null }, trouble: null })).toBe('with all assets')
  expect(pausedState({ pause: null, trouble: null })).toBe('')
})

test('what is wrong with the data during a pause is said as well', () => {
  const pause = { asset_symbol: null } as PauseEntry
  const trouble = { id: 'no_data', message: 'no data for 30 s' } as const
  expect(pausedState({ pause, trouble })).toBe('with all assets; no data for 30 s')
})

test('the sentence says what is paused, and what is so by itself besides', () => {
  expect(pausedSentence(of(null))).toBe('All assets are paused')
  expect(pausedSentence(of('BTC'))).toBe('BTC is paused')
  expect(pausedSentence(of('BTC', 'ETH'))).toBe('BTC and ETH are paused')
  expect(pausedSentence(of(null, 'BTC'))).toBe('All assets are paused, BTC by itself too')
  expect(pausedSentence(of(null, 'BTC', 'ETH'))).toBe('All assets are paused, BTC and ETH by themselves too')
})

test('a resumption says what goes on and what stays paused', () => {
  expect(resumptionWords(null, of(null))).toBe('Assets are decided again at once, with the configuration now in force.')
  expect(resumptionWords(null, of(null, 'BTC'))).toMatch(/ BTC stays paused\.$/)
  expect(resumptionWords(null, of(null, 'BTC', 'ETH'))).toMatch(/ BTC and ETH stay paused\.$/)
  expect(resumptionWords('BTC', of('BTC', 'ETH'))).toBe(
    'BTC is decided again at once, with the configuration now in force.',
  )
  expect(resumptionWords('BTC', of(null, 'BTC'))).toBe(
    'All assets are paused, so BTC stays idle until they are resumed as well.',
  )
})

describe('states and the list of pauses', () => {
  const standings = [at('BTC', 'paused'), at('ETH', 'live')]

  test('an asset that is paused without a known pause is named', () => {
    expect(unexplained([], standings)).toEqual(['BTC'])
    expect(unexplained(of('BTC'), standings)).toEqual([])
    expect(unexplained(of(null), standings)).toEqual([])
    expect(unexplained(of('ETH'), standings)).toEqual(['BTC'])
  })

  test('they disagree where one of them has a pause that the other has not', () => {
    const list = (paused: string[]) => ({ paused, pauses: of(...paused) })
    expect(disagree(list(['BTC']), standings)).toBe(false)
    expect(disagree(list([]), standings)).toBe(true)
    expect(disagree(undefined, standings)).toBe(true)
    expect(disagree(list(['BTC', 'ETH']), standings)).toBe(true)
    expect(disagree(list([]), [at('BTC', 'stale'), at('ETH', 'live')])).toBe(false)
  })
})
