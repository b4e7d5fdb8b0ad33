import { expect, test } from 'vitest'
import { HALF, isWholeDay, typedDay } from './DayField.tsx'
import { isDay } from './days.ts'

test('the first digits of a year are no day that goes into the address', () => {
  const typed = ['0002-10-20', '0020-10-20', '0202-10-20', '2025-10-20']
  expect(typed.map(isDay)).toEqual([false, false, false, true])
  expect(['', 'garbage', '1970-01-01', '1969-12-31'].map(isDay)).toEqual([false, false, true, false])
})

test('a field that is half typed is not an empty one, which would take the day out of the address', () => {
  expect(typedDay('', true)).toBe(HALF)
  expect(isWholeDay(HALF)).toBe(false)
  expect(typedDay('', false)).toBe('')
  expect(isWholeDay('')).toBe(true)
  expect(typedDay('2025-10-20', false)).toBe('2025-10-20')
})
