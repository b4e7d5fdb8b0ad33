import { describe, expect, test } from 'vitest'
import type { ConnectionSnapshot } from 'vivienne-client'
import { briefSentences, connectionSentences } from './connectionWords.ts'

const NOW = 1_000_000

function snapshot(change: Partial<ConnectionSnapshot>): ConnectionSnapshot {
  return {
    state: 'live',
    since: NOW - 60_000,
    lastMessageAt: NOW - 200,
    reconnectAttempts: 0,
    retryAt: null,
    reason: null,
    ...change,
  }
}

describe('connectionSentences', () => {
  test('live says when the last message came', () => {
    expect(connectionSentences(snapshot({}), NOW)).toEqual(['Live', 'last message now'])
    expect(connectionSentences(snapshot({ lastMessageAt: NOW - 4000 }), NOW)).toEqual(['Live', 'last message 4 s ago'])
  })

  test('offline says how old the data is and when the next attempt is', () => {
    const offline = snapshot({ state: 'offline', lastMessageAt: NOW - 12_000, retryAt: NOW + 2_400 })
    expect(connectionSentences(offline, NOW)).toEqual(['Offline', 'the data below is 12 s old', 'retrying in 3 s'])
  })

  test('a narrow page is told the same in fewer words', () => {
    const offline = snapshot({ state: 'offline', lastMessageAt: NOW - 12_000, retryAt: NOW + 2_400 })
    expect(briefSentences(offline, NOW)).toEqual(['Offline', 'data 12 s old', 'retry in 3 s'])
  })

  test('an attempt that is due is not counted below zero', () => {
    const due = snapshot({ state: 'offline', retryAt: NOW - 300 })
    expect(connectionSentences(due, NOW).at(-1)).toBe('retrying now')
  })

  test('before any message no age is given', () => {
    const first = snapshot({ state: 'connecting', lastMessageAt: null })
    expect(connectionSentences(first, NOW)).toEqual(['Connecting', 'no data yet'])
  })

  test('stale says for how long no data has come', () => {
    const stale = snapshot({ state: 'stale', lastMessageAt: NOW - 125_000 })
    expect(connectionSentences(stale, NOW)).toEqual(['Stale', 'no data for 2 min'])
  })
})
