import { expect, test } from 'vitest'
import { ConfigCache, withValue } from '../../src/index.js'
import { DEFAULTS } from './fake_socket.js'

const OTHER = withValue(DEFAULTS, 'settings.state_threshold_bang', 85)

function storage(texts: Record<string, string> = {}) {
  return {
    texts,
    getItem: (name: string) => texts[name] ?? null,
    setItem: (name: string, text: string) => {
      texts[name] = text
    },
  }
}

test('the last configuration of each asset is kept', () => {
  const cache = new ConfigCache()
  cache.set('BTC', DEFAULTS)
  cache.set('BTC', OTHER)
  expect([cache.get('BTC'), cache.get('ETH')]).toEqual([OTHER, undefined])
})

test('it is the same object until a configuration says something else', () => {
  const cache = new ConfigCache()
  const told: unknown[] = []
  const end = cache.subscribe('BTC', () => told.push(cache.get('BTC')))
  cache.set('BTC', DEFAULTS)
  cache.set('BTC', structuredClone(DEFAULTS))
  expect(cache.get('BTC')).toBe(DEFAULTS)
  cache.set('ETH', OTHER)
  cache.set('BTC', OTHER)
  end()
  cache.set('BTC', DEFAULTS)
  expect(told).toEqual([DEFAULTS, OTHER])
})

test('a configuration of the version that is kept already is not compared, until versions are forgotten', () => {
  const cache = new ConfigCache()
  cache.set('BTC', DEFAULTS, 1)
  cache.set('BTC', OTHER, 1)
  expect(cache.get('BTC')).toBe(DEFAULTS)
  cache.forgetVersions()
  cache.set('BTC', OTHER, 1)
  expect(cache.get('BTC')).toBe(OTHER)
  cache.set('BTC', structuredClone(OTHER), 2)
  expect(cache.get('BTC')).toBe(OTHER)
  cache.set('BTC', DEFAULTS)
  expect(cache.get('BTC')).toBe(DEFAULTS)
})

test('with a storage it survives the page', () => {
  const shelf = storage()
  new ConfigCache(shelf).set('BTC', OTHER)
  const next = new ConfigCache(shelf)
  expect([next.get('BTC'), next.get('ETH')]).toEqual([OTHER, undefined])
  expect(next.get('BTC')).toBe(next.get('BTC'))
})

test('a storage that is full, forbidden or holds something else costs only what it was for', () => {
  const refusing = {
    getItem: () => {
      throw new Error('forbidden')
    },
    setItem: () => {
      throw new Error('full')
    },
  }
  const cache = new ConfigCache(refusing)
  expect(cache.get('BTC')).toEqual(undefined)
  cache.set('BTC', OTHER)
  expect(cache.get('BTC')).toEqual(OTHER)
  expect(new ConfigCache(storage({ 'vivienne.config.BTC': 'nonsense' })).get('BTC')).toEqual(undefined)
})
