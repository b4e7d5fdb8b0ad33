import { describe, expect, test } from 'vitest'
import {
  barsBetween,
  entriesOf,
  hitRange,
  lengthWords,
  meanWords,
  signed,
  signedWithin,
  sureWords,
  triedWords,
  undecidedWords,
  verdictTitle,
} from './outcomeWords.ts'

const open = {
  verdict: 'not enough to tell',
  bars: 312,
  bars_more: 1_237,
  confidence: 0.95,
  mean: 0.00031,
  low: -0.0042,
  high: 0.0048,
} as const

describe('a verdict says how sure it is', () => {
  test('by the bars it would take, without digits that nobody knows', () => {
    expect(sureWords(open, '15m')).toBe('about 1,200 bars more at this effect (12.5 d)')
    expect(sureWords({ ...open, bars_more: 1 }, '1d')).toBe('about 1 bar more at this effect (1 d)')
    expect(sureWords({ ...open, bars_more: null }, '15m')).toBe('at this effect it takes more than ten million bars')
  })

  test('by its confidence, where it is told', () => {
    const told = { ...open, verdict: 'better', bars_more: null, low: 0.0001 } as const
    expect([verdictTitle(told.verdict), sureWords(told, '15m')]).toEqual([
      'Better',
      '95 % sure, however often one looks',
    ])
  })

  test('which holds for tried costs only if they were chosen beforehand, and which they are is said', () => {
    const told = { ...open, verdict: 'worse', bars_more: null, high: -0.0001 } as const
    expect(sureWords(told, '15m', true)).toBe('95 % sure, if these costs were chosen beforehand')
    expect(triedWords({ fee: 100, slippage: 2, confidence: 0.95 })).toBe(
      'Tried with a fee of 100 and a slippage of 2 basis points, from the address and not from the server. ' +
        'The 95 % hold only for costs that were chosen beforehand.',
    )
  })

  test('or that nothing can be told', () => {
    expect(sureWords(null, '15m')).toBe('no version before it is recorded')
    expect(verdictTitle(undefined)).toBe('Nothing to compare with')
    expect(sureWords({ ...open, bars: 0, mean: 0, low: null, high: null, bars_more: null }, '15m')).toBe(
      'no bar is judged yet',
    )
    expect(sureWords({ ...open, mean: 0, low: -0.0045, high: 0.0045, bars_more: null }, '15m')).toBe(
      'both did the same so far',
    )
  })
})

test('a mean difference is said with its band', () => {
  expect(meanWords(open)).toBe(
    '+0.00031 % of equity a bar; with 95 % confidence the true mean is between -0.00420 and +0.00480 %',
  )
  expect(meanWords({ ...open, low: null, high: null })).toBe('+0.00031 % of equity a bar')
  expect([0.0259, -1e-9, -0.13].map((each) => signedWithin(each, 0.21))).toEqual(['+0.026', '0', '-0.130'])
  expect([signed(0), signed(-1.5), signed(2)]).toEqual(['0', '-1.5', '+2'])
})

test('a hit rate leaves a range open, which few entries do not narrow', () => {
  // From the published examples of the interval: 8 of 10, 0 of 10.
  expect(hitRange(0.8, 10).map((each) => Number(each.toFixed(3)))).toEqual([0.49, 0.943])
  expect(hitRange(0, 10).map((each) => Number(each.toFixed(3)))).toEqual([0, 0.278])
  const [low, high] = hitRange(0.5, 1)
  expect(high - low).toBeGreaterThan(0.8)
})

test('times and numbers of bars', () => {
  expect(lengthWords(312, '15m')).toBe('3.25 d')
  expect(lengthWords(3, 'week')).toBeNull()
  expect(barsBetween('2026-01-01T10:00:00.000Z', '2026-01-01T11:00:00.000Z', '15m')).toBe(5)
  const none = { long: 0, short: 0 }
  expect(entriesOf({ entries: { loaded: { long: 2, short: 1 }, aim: none, bang: { long: 0, short: 4 } } })).toBe(7)
})

test('an asset that a version decided no bar of says why', () => {
  expect(undecidedWords({ isEnded: true, isFollowed: true })).toBe('its replay ended before a bar was decided with it')
  expect(undecidedWords({ isEnded: false, isFollowed: true })).toBe('no bar has closed with it yet')
  expect(undecidedWords({ isEnded: false, isFollowed: false })).toBe('no bar was decided with it')
})
