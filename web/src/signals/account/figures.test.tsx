import { expect, test } from 'vitest'
import { luckWords } from './figures.tsx'

const trade = (profit: number) => ({
  asset: 'BTC',
  side: 'long' as const,
  size: 1,
  entered_at: '',
  entry_price: 1,
  exited_at: '',
  exit_price: 1,
  profit,
  ended_by: 'exit' as const,
})

test('an account says whether its result can be told from luck', () => {
  expect(luckWords(0, [])).toBe('No trade has ended in this span.')
  expect(luckWords(3, [1, 1, 1].map(trade))).toBe('3 trades say nothing about skill or luck.')
  const even = Array.from({ length: 20 }, (_, place) => trade(place % 2 === 0 ? 1 : -0.9))
  expect(luckWords(20, even)).toContain(
    'made 0.05 % of equity each on average, give or take 0.44 %. This cannot be told',
  )
  const losing = Array.from({ length: 200 }, (_, place) => trade(place % 4 === 0 ? 1 : -1))
  expect(luckWords(900, losing)).toMatch(/^The newest 200 trades lost 0\.5 % of equity each .* Luck alone seldom costs/)
})
