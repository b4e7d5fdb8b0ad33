import { expect, test } from 'vitest'
import { OwnWrites } from './address.ts'

test('what a field wrote comes back as its own, however late, and takes away nothing that was typed since', () => {
  const typing = new OwnWrites('')
  typing.add('1')
  typing.add('12')
  expect(typing.isOther('1')).toBe(false)
  expect(typing.isOther('12')).toBe(false)
  expect(typing.last).toBe('12')
})

test('of several writes the address may show only the last', () => {
  const writes = new OwnWrites('')
  for (const text of ['1', '12', '123']) writes.add(text)
  expect(writes.isOther('123')).toBe(false)
  expect(writes.isOther('12'), 'the way back').toBe(true)
})

test('what somebody else wrote is taken', () => {
  const writes = new OwnWrites('7')
  expect(writes.isOther('7')).toBe(false)
  expect(writes.isOther('8')).toBe(true)
  expect(writes.last).toBe('8')
  expect(writes.isOther('')).toBe(true)
})

test('what was typed is written, and nothing that the field shows until it has what somebody else put into the address', () => {
  const writes = new OwnWrites('')
  writes.typed()
  expect([writes.wants(''), writes.wants('7')]).toEqual([false, true])
  writes.add('7')
  expect(writes.wants('7')).toBe(false)
  expect(writes.isOther('8')).toBe(true)
  expect(writes.wants('7')).toBe(false)
  writes.typed()
  expect(writes.wants('9')).toBe(true)
})
