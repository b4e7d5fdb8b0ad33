import { expect, test } from 'vitest'
import type { RevisionEntry } from 'vivienne-client'
import { alertActionWords, alertFieldTitle, alertValueWords, madeWords, ruleName } from './alertWords.ts'

const CONFIG = {
  name: 'bang',
  assets: ['*'],
  event: 'level',
  channels: [{ id: 'c1', type: 'webhook', url: 'https://bot.example/***' }],
}

function entry(
  changed: [path: string, old: unknown, now: unknown][],
  values: Partial<RevisionEntry> = {},
): RevisionEntry {
  const made = changed.map(([path, old, now]) => ({ path, old, new: now }))
  return { action: 'alert', alert_id: 'al_1', config: CONFIG, changed: made, ...values } as unknown as RevisionEntry
}

test('a rule that was made says what it does', () => {
  const made = entry([
    ['name', null, 'bang'],
    ['assets', null, ['*']],
  ])
  expect(alertActionWords(made)).toBe('made')
  expect(madeWords(made)).toBe('All assets: Aim or bang reached; to Webhook https://bot.example/***')
})

test('one that was switched says so, and one that was deleted still has its name', () => {
  expect(
    alertActionWords(
      entry([
        ['enabled', true, false],
        ['problem', null, 'answered 410 Gone'],
      ]),
    ),
  ).toBe('switched off')
  expect(alertActionWords(entry([['enabled', false, true]]))).toBe('switched on')
  expect(
    alertActionWords(
      entry([
        ['enabled', false, true],
        ['cooldown', 0, 60],
      ]),
    ),
  ).toBe('changed')
  const deleted = entry([['name', 'bang', null]], { action: 'alert_delete', config: {} as never })
  expect([alertActionWords(deleted), ruleName(deleted)]).toEqual(['deleted', 'bang'])
})

test('fields have titles, and values are as a person reads them', () => {
  expect(['min_size', 'channels.c1.url', 'enabled'].map(alertFieldTitle)).toEqual([
    'Least size',
    'Channel c1: url',
    'Enabled',
  ])
  expect(alertValueWords('assets', ['BTC', 'E*'])).toBe('BTC, E*')
  expect(alertValueWords('quiet', [{ from: '22:00', to: '07:00', zone: 'Europe/Berlin', days: ['sat', 'sun'] }])).toBe(
    '22:00 to 07:00 Europe/Berlin sat sun',
  )
  expect(alertValueWords('cooldown', 300)).toBe('5 min')
  expect([alertValueWords('text', null), alertValueWords('enabled', true)]).toEqual(['none', 'on'])
})
