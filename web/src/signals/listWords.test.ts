import { expect, test } from 'vitest'
import { setZone } from '../parts/zone.ts'
import { behindWords, countedWords, enteredIn } from './listWords.ts'

test('the list says how many bars it has, and how many of them the setups counted as entries', () => {
  expect(countedWords(330, true, null)).toBe('330 bars')
  expect(countedWords(1, true, null)).toBe('1 bar')
  expect(countedWords(100, false, null)).toBe('The newest 100 bars')
  expect(countedWords(330, true, { entries: 154 })).toMatch(
    /^330 bars\. .*: 154 of them began an entry, the others kept/,
  )
  expect(countedWords(100, false, { entries: 154 })).toMatch(
    /^The newest 100 bars\. .*: 154 bars of the list began one/,
  )
})

test('only a row of the setups says how many entries there are', () => {
  expect(enteredIn({ entries: 154 })).toEqual({ entries: 154 })
  expect([null, undefined, 'x', {}, { entries: '1' }].map(enteredIn)).toEqual([null, null, null, null, null])
})

test('assets whose newest bar closed before the first day are named, with the day of it', () => {
  setZone('utc')
  const from = Date.parse('2025-11-01T00:00:00Z')
  const quarter = 900_000
  const at = (asset: string, newest: string) => ({ asset, newest })
  const there = [at('ETH', '2025-11-01T10:00:00Z'), at('NEW', '')]
  expect(behindWords(there, from, quarter)).toBeNull()
  expect(behindWords([at('BTC', '2025-10-18T12:00:00Z'), ...there], from, quarter)).toMatch(
    /^Nothing is listed of BTC \(.*18.*\): its newest bar is from before .*1.*\.$/,
  )
  const many = ['A', 'B', 'C', 'D', 'E'].map((name) => at(name, '2025-10-18T12:00:00Z'))
  expect(behindWords(many, from, quarter)).toMatch(
    /of A \(.*\), B \(.*\), C \(.*\) and 2 more: their newest bars are from/,
  )
  const lastOfTheDayBefore = at('BTC', '2025-10-31T23:45:00Z')
  expect(behindWords([lastOfTheDayBefore], from, quarter)).not.toBeNull()
})
