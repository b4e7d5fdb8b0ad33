import { renderToStaticMarkup } from 'react-dom/server'
import { MemoryRouter } from 'react-router'
import { expect, test } from 'vitest'
import { setZone } from '../parts/zone.ts'
import { SignalRow } from './SignalRow.tsx'

const SIGNAL = {
  asset: 'BTC/USDT',
  time: '2026-05-04T13:45:00.000Z',
  status: 'live',
  clarity_level: 'aim',
  raw_clarity_level: 'aim',
  signal_confidence: 0.7312,
  side: 'long',
  position_size: 0.2,
  held: false,
  blocked_by: [],
  trend_direction: 'bullish',
  volatility_status: 'normal',
  levels_status: 'active',
  config_version: 7,
  price: 65_012.5,
} as const

/** The text of a row, with a blank between its elements; and its markup. */
function shown(changed: Partial<Parameters<typeof SignalRow>[0]['signal']>): { text: string; markup: string } {
  setZone('utc')
  const markup = renderToStaticMarkup(
    <MemoryRouter>
      <SignalRow signal={{ ...SIGNAL, blocked_by: [], ...changed }} />
    </MemoryRouter>,
  )
  return { markup, text: markup.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ') }
}

test('a signal that fired opens the chart at its bar, and says with which version it was decided', () => {
  const { text, markup } = shown({})
  expect(text).toMatch(/BTC\/USDT aim long 73\.1 % 0\.2 % 65,012\.50 7 $/)
  expect(markup).toContain('href="/assets/BTC%2FUSDT?panel=why&amp;bar=2026-05-04T13%3A45Z"')
})

test('one that was held shows the level that it would have had, and what held it', () => {
  const { text } = shown({ clarity_level: 'idle', held: true, blocked_by: ['retail_chop', 'trend'], position_size: 0 })
  expect(text).toMatch(/ aim held long 73\.1 % 0 % .* retail chop, trend 7 $/)
})

test('one without an effect says why', () => {
  expect(shown({ status: 'paused', position_size: 0 }).text).toMatch(/ aim paused .* paused: without effect 7 $/)
  expect(shown({ status: 'stale', position_size: 0 }).text).toContain('stale: without effect')
})
