import { expect, test } from 'vitest'
import { assetsToOffer } from './assetsToOffer.ts'

const KNOWN = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE']

test('the first assets are offered, and further ones that are chosen', () => {
  expect(assetsToOffer(KNOWN, [], { most: 2 })).toEqual(['BTC', 'ETH'])
  expect(assetsToOffer(KNOWN, ['DOGE', 'E*'], { most: 2 })).toEqual(['BTC', 'ETH', 'DOGE'])
})

test('all are offered when they are asked for, or those with a text in their names', () => {
  expect(assetsToOffer(KNOWN, [], { text: '' })).toEqual(KNOWN)
  expect(assetsToOffer(KNOWN, ['BTC'], { text: ' o' })).toEqual(['SOL', 'DOGE'])
})
