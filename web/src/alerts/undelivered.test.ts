import { expect, test } from 'vitest'
import type { AlertRule } from 'vivienne-client'
import { answerWords, channelName, stuckOf, type Undelivered } from './undelivered.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const WAITING = {
  channel: 'c1',
  channel_type: 'webhook',
  status: 'waiting',
  created_at: '2026-01-01T11:59:58Z',
} as Undelivered

test('a message that was decided just now is not called stuck; one that waits or failed is', () => {
  const stuck = (entry: Undelivered) => stuckOf({ undelivered: [entry] }, NOW).length
  expect(stuck(WAITING)).toBe(0)
  expect(stuck({ ...WAITING, created_at: '2026-01-01T11:59:50Z' })).toBe(1)
  expect(stuck({ ...WAITING, status: 'retrying' })).toBe(1)
})

test('a channel is named with its address where there are several of its type', () => {
  const hook = (id: string, url: string) => ({ id, type: 'webhook', url })
  const named = (...channels: AlertRule['channels']) => channelName({ channels }, WAITING)
  expect(named(hook('c1', 'https://a.example/***'), { id: 'c2', type: 'browser' })).toBe('Webhook')
  expect(named(hook('c1', 'https://a.example/***'), hook('c2', 'https://b.example/***'))).toBe(
    'Webhook https://a.example/***',
  )
})

test('the reason is the answer with its status, as far as there is one', () => {
  const words = (status_code: number | null, answer: string | null) => answerWords({ status_code, answer })
  expect([words(503, 'overloaded'), words(410, ''), words(null, 'no answer.'), words(null, null)]).toEqual([
    '503 overloaded',
    '410',
    'no answer',
    '',
  ])
})
