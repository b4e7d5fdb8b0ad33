import { expect, test } from 'vitest'
import { chosenAssets, chosenText, withChosen } from './chosen.ts'

const ASSETS = ['BTC', 'ETH', 'SOL', 'ADA', 'A,B', 'XRP', 'DOT', 'BNB']

test('the address chooses the charts, in its order, at most six, in any case', () => {
  expect(chosenAssets('sol,BTC', ASSETS)).toEqual(['SOL', 'BTC'])
  expect(chosenAssets(ASSETS.map(encodeURIComponent).join(','), ASSETS)).toHaveLength(6)
  expect(chosenAssets('BTC,BTC,NONE', ASSETS)).toEqual(['BTC'])
})

test('without a choice, or with one of unknown assets, the first four are shown', () => {
  for (const text of [null, '', 'NONE']) expect(chosenAssets(text, ASSETS)).toEqual(['BTC', 'ETH', 'SOL', 'ADA'])
  expect(chosenAssets(null, ['BTC'])).toEqual(['BTC'])
})

test('a choice is read back from its text, whatever the names', () => {
  const chosen = ['A,B', 'BTC']
  expect(chosenAssets(chosenText(chosen), ASSETS)).toEqual(chosen)
})

test('an asset that is chosen in the place of another changes places with it', () => {
  expect(withChosen(['BTC', 'ETH', 'SOL'], 0, 'SOL')).toEqual(['SOL', 'ETH', 'BTC'])
  expect(withChosen(['BTC', 'ETH'], 1, 'DOT')).toEqual(['BTC', 'DOT'])
})
