import { expect, test } from 'vitest'
import type { Standing } from '../overview/standing.ts'
import { exchangeNow } from './market.ts'

const of = (asset: string, feedStatus: Standing['feedStatus'], more: Partial<Standing> = {}) =>
  ({ asset, exchange: 'Kraken', feedStatus, status: 'live', trouble: null, ...more }) as Standing

test('a market that is not real has no exchange', () => {
  expect(exchangeNow([])).toBeNull()
  expect(exchangeNow([of('BTC', null, { exchange: null })])).toBeNull()
})

test('the exchange is named with the worst state of its assets, and with the reasons', () => {
  const connected = of('BTC', 'connected')
  expect(exchangeNow([connected])).toMatchObject({ exchange: 'Kraken', words: 'connected', troubled: false })
  const cut = { trouble: 'Kraken closed the connection' }
  expect(exchangeNow([of('BTC', 'reconnecting', cut), of('ETH', 'reconnecting', cut)])).toMatchObject({
    words: 'reconnecting',
    troubled: true,
    reasons: ['BTC reconnecting: Kraken closed the connection', 'ETH reconnecting: Kraken closed the connection'],
  })
  const mixed = [connected, of('ETH', 'catching_up'), of('NOPE', 'blocked', { status: 'stale', trouble: 'no market' })]
  expect(exchangeNow(mixed)?.words).toBe('1 blocked, 1 catching up')
  expect(exchangeNow([connected, of('NOPE', 'blocked', { status: 'stale' })])?.words).toBe('1 of 2 blocked')
  expect(exchangeNow([connected, of('ETH', 'connected', { status: 'stale' })])?.words).toBe('1 of 2 stale')
})
