import { expect, test } from 'vitest'
import { calmList } from './calmList.ts'

const same = (entry: number) => entry
const list = (before: number[], entries: number[], shownTo: number | null) =>
  calmList(before, entries, shownTo, same, same)

test('entries are shown up to the newest that is shown, and all while nothing is held back', () => {
  expect(list([], [5, 4, 3], null)).toEqual([5, 4, 3])
  expect(list([5, 4, 3], [5, 4, 3], 5)).toEqual([5, 4, 3])
  expect(list([4, 3, 2], [5, 4, 3, 2], 4)).toEqual([4, 3, 2])
})

test('what newer entries push off the end of an answer stays shown, however many they are', () => {
  expect(list([4, 3, 2], [5, 4, 3], 4)).toEqual([4, 3, 2])
  expect(list([4, 3, 2], [9, 8, 7], 4)).toEqual([4, 3, 2])
  expect(list([4, 3, 2], [9, 8, 7, 6, 5, 4, 3, 2, 1], 4), 'older ones were loaded').toEqual([4, 3, 2, 1])
})

test('what is not there any more among those that were answered goes', () => {
  expect(list([4, 3, 2, 1], [5, 4, 2], 4)).toEqual([4, 2, 1])
})

test('what nobody looks at is as the server answers it', () => {
  expect(list([4, 3, 2], [7, 6, 5], 7)).toEqual([7, 6, 5])
})

test('of several entries at one time none is lost', () => {
  const entry = (time: number, asset: string) => ({ time, asset })
  const before = [entry(4, 'BTC'), entry(3, 'ETH'), entry(3, 'BTC')]
  const answered = [entry(5, 'BTC'), entry(4, 'BTC'), entry(3, 'ETH')]
  const shown = calmList(
    before,
    answered,
    4,
    ({ time }) => time,
    ({ time, asset }) => `${time} ${asset}`,
  )
  expect(shown.map(({ asset }) => asset)).toEqual(['BTC', 'ETH', 'BTC'])
})
