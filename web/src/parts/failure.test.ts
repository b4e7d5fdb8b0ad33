import { expect, test } from 'vitest'
import { VivienneProblem, VivienneTimeout, VivienneUnreachable } from 'vivienne-client'
import { failureTitle, failureWords, isLost, isNotRecorded } from './failure.ts'

const problem = (status: number, code: string, detail: string) =>
  new VivienneProblem({ status, code, title: code, detail, errors: [] })

test('a server that does not answer is said to be so, without an address or the words of a browser', () => {
  const lost = new VivienneUnreachable('http://localhost:8000/phoenix/decisions cannot be reached: Failed to fetch')
  expect(failureWords(lost)).toBe(
    'The server cannot be reached. This is asked for again as soon as the connection is back.',
  )
  const late = new VivienneTimeout('http://localhost:8000/phoenix/decisions did not answer within 10 s')
  expect(failureWords(late)).toBe('The server did not answer in time.')
  expect([lost, late].map(failureTitle)).toEqual(['The record could not be read', 'The record could not be read'])
})

test('a server that refuses is quoted', () => {
  expect(failureWords(problem(503, 'no_record', 'The record is being moved'))).toBe('The record is being moved')
})

test('without a record the page says what to do, and does not say that something failed', () => {
  const off = problem(409, 'not_recorded', 'Nothing is recorded here, because the program runs with --record off')
  expect(failureTitle(off)).toBe('Nothing is recorded')
  expect(failureWords(off)).toBe(
    'Nothing is recorded here, because the program runs with --record off. Start it without --record off to have this page.',
  )
  expect([isNotRecorded(off), isNotRecorded(null), isLost(off)]).toEqual([true, false, false])
})

test('what an address asks for and is not there is no failure of the record', () => {
  const unknown = problem(422, 'invalid_request', "by: 'nope' is not a filter")
  expect(failureTitle(unknown)).toBe('The address asks for something that is not there')
})

test('only what got no answer is worth asking again', () => {
  expect(isLost(new VivienneUnreachable(''))).toBe(true)
  expect(isLost(problem(503, 'no_record', ''))).toBe(true)
  expect(isLost(problem(404, 'not_found', ''))).toBe(false)
  expect(isLost(new Error(''))).toBe(false)
  expect(isLost(null)).toBe(false)
})
