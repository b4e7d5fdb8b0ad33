import { describe, expect, test } from 'vitest'
import { briefSentences, type ConnectionNow, connectionSentences, isCurrent } from './connectionWords.ts'
import type { Freshness } from './freshness.ts'

const connection = (change: Partial<ConnectionNow>): ConnectionNow => ({
  state: 'live',
  silence: 200,
  retryIn: null,
  ...change,
})
const data = (change: Partial<Freshness>): Freshness => ({
  age: 200,
  delay: 50,
  ended: false,
  old: false,
  troubled: false,
  ...change,
})

describe('a live connection', () => {
  test('says that the data is of now, and only then it is current', () => {
    expect(connectionSentences(connection({}), data({}))).toEqual(['Live', 'data now'])
    expect(isCurrent('live', data({}))).toBe(true)
    expect(isCurrent('stale', data({}))).toBe(false)
  })

  test('says how far behind the data is, however recently the last message came', () => {
    const late = data({ age: 32_000, delay: 31_000 })
    expect(connectionSentences(connection({}), late)).toEqual(['Live', 'data 32 s old', '31 s behind the server'])
    expect(briefSentences(connection({}), late)).toEqual(['Live', 'data 32 s old', '31 s behind'])
    expect(isCurrent('live', late)).toBe(false)
  })

  test('over which a replay has ended says so, and is not current', () => {
    const ended = data({ age: null, ended: true })
    expect(connectionSentences(connection({}), ended)).toEqual(['Replay ended', 'nothing newer will come'])
    expect(isCurrent('live', ended)).toBe(false)
  })

  test('over which no asset has data to rely on is not called live', () => {
    const troubled = data({ age: 52_000, troubled: true })
    expect(connectionSentences(connection({}), troubled)).toEqual(['All assets stale', 'data 52 s old'])
    expect(isCurrent('live', data({ troubled: true }))).toBe(false)
  })

  test('without data says so', () => {
    expect(connectionSentences(connection({}), data({ age: null }))).toEqual(['Live', 'no data yet'])
    expect(isCurrent('live', data({ age: null }))).toBe(false)
  })
})

describe('a lost connection', () => {
  const offline = connection({ state: 'offline', silence: 12_000, retryIn: 2_400 })

  test('says how old the data is and when the next attempt is', () => {
    const sentences = connectionSentences(offline, data({ age: 14_000 }))
    expect(sentences).toEqual(['Offline', 'the data below is 14 s old', 'retrying in 3 s'])
  })

  test('tells a narrow page the same in fewer words', () => {
    expect(briefSentences(offline, data({ age: 14_000 }))).toEqual(['Offline', 'data 14 s old', 'retry in 3 s'])
  })

  test('does not count an attempt that is due below zero', () => {
    const due = connection({ state: 'offline', retryIn: -300 })
    expect(connectionSentences(due, data({})).at(-1)).toBe('retrying now')
  })

  test('gives no age before any message', () => {
    const first = connection({ state: 'connecting', silence: null })
    expect(connectionSentences(first, data({ age: null }))).toEqual(['Connecting', 'no data yet'])
  })

  test('says for how long no data has come', () => {
    const stale = connection({ state: 'stale' })
    expect(connectionSentences(stale, data({ age: 125_000 }))).toEqual(['Stale', 'no data for 2 min'])
  })
})
