import { expect, test } from 'vitest'
import type { AlertRule } from 'vivienne-client'
import { conditionWords, EVENT_TYPES, eventGroup, eventWords, matching, secondsWords } from './words.ts'

test('what a rule watches is said in words', () => {
  expect(eventWords({ event: 'level' })).toBe('Aim or bang reached')
  expect(eventWords({ event: ['level', 'entry'], levels: ['bang'], when: 'leaves' })).toBe('Bang left, entry')
  expect(eventWords({ event: 'confidence', below: 0.3 })).toBe('Confidence below 0.3')
  expect(eventWords({ event: 'held', filters: ['retail_chop', 'trend'] })).toBe(
    'Entry held back by retail chop or trend',
  )
  expect(eventWords({ event: 'config', authors: ['bot-*'] })).toBe('Configuration changed by bot-*')
})

test('conditions are said only where there are some', () => {
  const rule = { markets: ['real', 'simulated', 'replay'], cooldown: 0, quiet: [] } as unknown as AlertRule
  expect(conditionWords(rule)).toEqual([])
  expect(conditionWords({ ...rule, side: 'long', min_size: 5, markets: ['real'], cooldown: 300 })).toEqual([
    'long only',
    'size at least 5 %',
    'real markets only',
    'at most every 5 min',
  ])
  expect([90, 7_200, 86_400].map(secondsWords)).toEqual(['90 s', '2 h', '1 d'])
})

test('rules are found by their name, assets and events', () => {
  const rules = [
    { name: 'bang', assets: ['*'], event: 'level' },
    { name: 'bot', assets: ['BTC'], event: 'size' },
  ] as unknown as AlertRule[]
  const found = (text: string) => matching(rules, text).map(({ name }) => name)
  expect([found(''), found('btc'), found('AIM'), found('nothing')]).toEqual([['bang', 'bot'], ['bot'], ['bang'], []])
})

test('events are offered in groups that follow each other', () => {
  const groups = EVENT_TYPES.map(eventGroup)
  expect([...new Set(groups)]).toEqual(['Level and position', 'Data', 'System'])
  expect(groups.filter((group, place) => group !== groups[place - 1])).toHaveLength(3)
})
