import { expect, test } from 'vitest'
import { missingWords } from '../missingWords.ts'
import { ANY, nothingWords } from './nothingWords.ts'

test('a bar that will never close is not promised', () => {
  expect(nothingWords('ETH', { isFollowed: true, isEnded: false })).toMatch(/^The first bar of ETH that closes/)
  expect(nothingWords('ETH', { isFollowed: true, isEnded: true })).toBe(
    'The replay of ETH has ended, so no bar of it will be.',
  )
  expect(nothingWords('ETH', { isFollowed: false, isEnded: true })).toMatch(/^The replay of ETH ended before, it was/)
  expect(nothingWords(ANY, { isFollowed: false, isEnded: false })).toMatch(/^It was replaced before a bar of any asset/)
})

test('a version that does not exist says which is the newest', () => {
  expect(missingWords(99, 3)).toBe('Version 99 does not exist. The newest version is 3.')
  expect(missingWords(1, undefined)).toBe('Version 1 does not exist. Nothing has been changed yet.')
})
