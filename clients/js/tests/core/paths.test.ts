import { expect, test } from 'vitest'
import { leaves, merged, valueAt, withValue } from '../../src/index.js'

const DOCUMENT = {
  settings: { state_threshold_bang: 80 },
  filters: { trend: { enabled: true } },
  note: null,
  list: [1],
}

test('a value is found at its path, and only what the document itself says', () => {
  const paths = [
    'settings.state_threshold_bang',
    'filters.trend',
    'note',
    'note.deeper',
    'list.0',
    'absent',
    'toString',
    '',
  ]
  expect(paths.map((path) => valueAt(DOCUMENT, path))).toEqual([
    80,
    { enabled: true },
    null,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(valueAt(undefined, 'settings')).toEqual(undefined)
})

test('setting a value makes a new document and leaves the old one as it was', () => {
  const before = structuredClone(DOCUMENT)
  const after = withValue(DOCUMENT, 'filters.trend.enabled', false)
  expect(after).toEqual({ ...DOCUMENT, filters: { trend: { enabled: false } } })
  expect(DOCUMENT).toEqual(before)
  expect(after.settings).toBe(DOCUMENT.settings)
})

test('sections on the way to a value are made', () => {
  expect(withValue({}, 'filters.levels.levels_buffer_percent', 0.01)).toEqual({
    filters: { levels: { levels_buffer_percent: 0.01 } },
  })
  expect(withValue({ filters: 3 }, 'filters.trend', true)).toEqual({ filters: { trend: true } })
})

test('values are listed by path; lists and null are values', () => {
  expect(leaves(DOCUMENT)).toEqual({
    'settings.state_threshold_bang': 80,
    'filters.trend.enabled': true,
    note: null,
    list: [1],
  })
})

test('laying a document over another one takes what it says and keeps the rest', () => {
  const over = { settings: { position_size_bang: 1 }, filters: 5, list: { a: undefined, b: 2 }, note: undefined }
  expect(merged(DOCUMENT, over)).toEqual({
    settings: { state_threshold_bang: 80, position_size_bang: 1 },
    filters: 5,
    list: { b: 2 },
    note: null,
  })
})

test('a name that means something to JavaScript is a name like any other', () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 2}}}')
  const found = merged(withValue({}, '__proto__.other', 3), hostile)
  expect(JSON.stringify(found)).toEqual(
    '{"__proto__":{"other":3,"polluted":1},"constructor":{"prototype":{"polluted":2}}}',
  )
  expect(leaves(found)).toEqual(
    JSON.parse('{"__proto__.other": 3, "__proto__.polluted": 1, "constructor.prototype.polluted": 2}'),
  )
  expect(({} as Record<string, unknown>).polluted).toEqual(undefined)
})
