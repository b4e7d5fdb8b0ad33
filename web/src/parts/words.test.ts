import { expect, test } from 'vitest'
import { pauseWords } from './words.ts'

test('a pause says by whom and why, without the word that is said beside it', () => {
  expect(pauseWords('paused by ana (rest, version 9): wrong prices')).toBe('by ana (rest, version 9): wrong prices')
})

test('a pause of all assets is explained by the frame, what is wrong besides is not', () => {
  expect(pauseWords('paused with all assets by ana (rest, version 9): wrong prices')).toBe('with all assets')
  expect(pauseWords('paused with all assets by ana (rest, version 9); besides, nothing came for 30 s')).toBe(
    'with all assets; besides, nothing came for 30 s',
  )
})

test('a reason in other words is said as it is', () => {
  expect(pauseWords('stopped for the weekend')).toBe('stopped for the weekend')
  expect(pauseWords(null)).toBe('by somebody')
})
