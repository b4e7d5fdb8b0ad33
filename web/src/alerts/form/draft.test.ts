import { expect, test } from 'vitest'
import type { AlertRule } from 'vivienne-client'
import { type Draft, documentOf, draftOf, isBrokenJson, isMasked, newChannel } from './draft.ts'
import { unfinished } from './unfinished.ts'

const LISTED: AlertRule = {
  alert_id: 'al_1',
  version: 3,
  name: 'bang',
  enabled: true,
  assets: ['BTC', 'E*'],
  event: ['level', 'confidence'],
  levels: ['bang'],
  when: 'leaves',
  below: 0.3,
  side: 'long',
  min_size: 5,
  markets: ['real'],
  cooldown: 300,
  once_per_bar: false,
  quiet: [{ from: '22:00', to: '07:00', zone: 'Europe/Berlin' }],
  text: '{{asset}}!',
  expires_after: 60,
  channels: [
    {
      id: 'c1',
      type: 'webhook',
      url: 'https://bot.example/***',
      secret: '***',
      headers: { 'X-Key': '***' },
      body: ['{{asset}}'],
    },
    { id: 'c2', type: 'apprise', url: 'tgram://***', coalesce_above: 5 },
    { id: 'c3', type: 'browser', sound: false },
  ],
  created_at: '2026-05-04T13:45:00.000Z',
  changed_at: '2026-05-04T13:45:00.000Z',
  author: 'ana',
  reason: null,
  problem: null,
  last_fired_at: null,
  undelivered: [],
}

function typed(values: Partial<Draft>): Record<string, unknown> {
  return { ...documentOf({ ...draftOf(null), name: 'new', ...values }) }
}

test('a rule that is opened and saved stays as it is, with its masked secrets', () => {
  const {
    alert_id: _,
    version,
    created_at,
    changed_at,
    author,
    reason,
    problem,
    last_fired_at,
    undelivered,
    ...sent
  } = LISTED
  expect(documentOf(draftOf(LISTED))).toEqual(sent)
})

test('a new rule rings in the browser when any asset reaches aim or bang', () => {
  expect(typed({})).toMatchObject({
    assets: ['*'],
    event: 'level',
    levels: ['aim', 'bang'],
    when: 'reaches',
    channels: [{ type: 'browser', sound: true }],
  })
})

test('conditions of events that are no longer watched are not sent', () => {
  const sent = typed({ events: ['pause'], filters: ['trend'], confidence: '0.7', side: 'long', minSize: '5' })
  expect(sent).toMatchObject({ event: 'pause' })
  for (const name of ['levels', 'when', 'filters', 'above', 'side', 'min_size']) expect(sent).not.toHaveProperty(name)
})

test('numbers take a comma, and what is none goes to the server as it is typed', () => {
  expect(typed({ events: ['confidence'], confidence: '0,7', cooldown: 'soon' })).toMatchObject({
    above: 0.7,
    cooldown: 'soon',
  })
})

test('a body is JSON, or the template of a text', () => {
  const body = (text: string) => typed({ channels: [{ ...newChannel('webhook'), body: text }] }).channels
  expect(body('{"a": "{{asset}}"}')).toMatchObject([{ body: { a: '{{asset}}' } }])
  expect(body('{{asset}} fired')).toMatchObject([{ body: '{{asset}} fired' }])
  expect([isBrokenJson('{"a": '), isBrokenJson('{"a": 1}'), isBrokenJson('{{asset}} fired')]).toEqual([
    true,
    false,
    false,
  ])
})

test('a secret counts as kept while it is masked', () => {
  expect(['***', 'https://bot.example/***', 'https://bot.example/', 'env:URL'].map(isMasked)).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('what is missing is said without asking the server', () => {
  const told = (values: Partial<Draft>) => unfinished({ ...draftOf(null), ...values })
  expect(told({})).toBeNull()
  expect(told({ events: [] })).toBe('Choose at least one event.')
  expect(told({ events: ['confidence'] })).toMatch(/number/)
  expect(told({ text: '{{asset' })).toMatch(/ends with/)
  expect(told({ channels: [{ ...newChannel('webhook'), body: '{"a": ' }] })).toBe('The body is not JSON yet.')
})
