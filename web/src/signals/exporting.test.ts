import { expect, test } from 'vitest'
import { exportPath, fileName, refusal } from './exporting.ts'

test('a file has what the list has, under the same filter', () => {
  expect(exportPath({})).toBe('/phoenix/decisions?format=csv')
  const filter = {
    asset: ['BTC', 'ETH/USD'],
    held: false,
    raw_level: 'bang',
    version: 7,
    from: '2026-05-04T00:00:00.000Z',
  }
  const search = new URL(exportPath(filter as never), 'http://x').searchParams
  expect(search.getAll('asset')).toEqual(['BTC', 'ETH/USD'])
  expect(Object.fromEntries(search)).toMatchObject({
    format: 'csv',
    held: 'false',
    raw_level: 'bang',
    version: '7',
    from: '2026-05-04T00:00:00.000Z',
  })
})

test('of one asset there is a file with every decision', () => {
  expect(exportPath({ asset: ['ETH/USD'], side: 'long' }, 'ETH/USD')).toBe(
    '/phoenix/assets/ETH%2FUSD/decisions?format=csv&side=long',
  )
})

test('the server names the file', () => {
  expect(fileName('attachment; filename="BTC-decisions.csv"')).toBe('BTC-decisions.csv')
  expect(fileName(null)).toBe('vivienne-decisions.csv')
})

test('the server says why there is none', async () => {
  expect(await refusal(Response.json({ detail: 'You have an export already' }, { status: 429 }))).toBe(
    'You have an export already',
  )
  expect(await refusal(new Response('<html>', { status: 502 }))).toBe('The server answered with status 502.')
})
