import { expect, test } from 'vitest'
import { NewestBars } from './newestBar.ts'

test('the newest bar is that of any asset; before the first one there is none', () => {
  const bars = new NewestBars()
  bars.receive('BTC', '')
  expect(bars.newest).toBe('')
  bars.receive('BTC', '2026-05-04T10:00:00Z')
  bars.receive('ETH', '2026-05-04T09:45:00Z')
  expect([bars.newest, bars.of('ETH'), bars.of('SOL'), bars.run]).toEqual([
    '2026-05-04T10:00:00Z',
    '2026-05-04T09:45:00Z',
    '',
    0,
  ])
})

test('a market that begins again at an earlier time is one new run, in which nothing of the run before counts', () => {
  const bars = new NewestBars()
  for (const asset of ['BTC', 'ETH', 'SOL']) bars.receive(asset, '2026-05-04T10:00:00Z')
  bars.receive('BTC', '2026-05-03T08:00:00Z')
  expect([bars.newest, bars.of('ETH'), bars.run]).toEqual(['2026-05-03T08:00:00Z', '', 1])
  bars.receive('ETH', '2026-05-03T08:00:00Z')
  bars.receive('ETH', '')
  bars.receive('BTC', '2026-05-03T08:15:00Z')
  expect([bars.newest, bars.of('ETH'), bars.run]).toEqual(['2026-05-03T08:15:00Z', '2026-05-03T08:00:00Z', 1])
})
