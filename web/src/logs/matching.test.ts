import { expect, test } from 'vitest'
import type { LogRecord } from 'vivienne-client'
import { countAfter, lineOf, marked, matching } from './matching.ts'

function record(id: number, change: Partial<LogRecord> = {}): LogRecord {
  const timestamp = '2026-01-01T12:00:00.123Z'
  return {
    id,
    type: 'log',
    timestamp,
    level: 'INFO',
    logger: 'vivienne.live.market',
    message: `record ${id}`,
    ...change,
  }
}

test('text, source and traceback are searched, in any case', () => {
  const records = [
    record(1, { message: 'Configuration updated' }),
    record(2, { logger: 'vivienne.config.service' }),
    record(3, { exception: 'ConfigError: no' }),
    record(4),
    record(5, { process: 'agent 1/2' }),
  ]
  expect(matching(records, 'agent 1').map(({ id }) => id)).toEqual([5])
  expect(matching(records, ' CONFIG ').map(({ id }) => id)).toEqual([1, 2, 3])
})

test('without a text the same list comes back', () => {
  const records = [record(1)]
  expect(matching(records, '  ')).toBe(records)
})

test('what is sought is marked wherever it stands', () => {
  expect(marked('BTC: btc moved', 'btc')).toEqual([
    { piece: 'BTC', sought: true },
    { piece: ': ', sought: false },
    { piece: 'btc', sought: true },
    { piece: ' moved', sought: false },
  ])
})

test('records after one are counted from the end', () => {
  expect(countAfter([record(4), record(5), record(9)], 4)).toBe(2)
  expect(countAfter([], 4)).toBe(0)
})

test('a copied line has the traceback below it', () => {
  expect(lineOf(record(1, { exception: 'Traceback' }))).toBe(
    '2026-01-01T12:00:00.123Z INFO vivienne.live.market: record 1\nTraceback',
  )
})
