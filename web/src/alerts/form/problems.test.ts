import { expect, test } from 'vitest'
import { elsewhere, sentencesAt, without } from './problems.ts'

const PROBLEMS = [
  { path: 'channels.0.url', message: 'not a URL' },
  { path: 'channels.10.url', message: 'not a URL either' },
  { path: 'assets.1', message: 'not a name' },
  { path: '', message: 'too many rules' },
]

test('a problem stands at its field, or at the field that it is within', () => {
  expect(sentencesAt(PROBLEMS, 'channels.0.url')).toBe('not a URL')
  expect(sentencesAt(PROBLEMS, 'channels.1')).toBeUndefined()
  expect(sentencesAt(PROBLEMS, 'assets')).toBe('not a name')
})

test('it goes when the field is changed, and what has no field is said elsewhere', () => {
  expect(without(PROBLEMS, ['channels.0.url']).map(({ path }) => path)).toEqual(['channels.10.url', 'assets.1', ''])
  expect(without(PROBLEMS, ['name'])).toBe(PROBLEMS)
  expect(elsewhere(PROBLEMS, ['channels', 'assets'])).toEqual([{ path: '', message: 'too many rules' }])
})
