import { expect, test } from 'vitest'
import { unopened } from './unopenedWords.ts'

test('a server that got no handshake is behind a proxy that does not pass WebSockets', () => {
  const { title, detail } = unopened(426, { code: 'upgrade_required' }) ?? {}
  expect(title).toBe('The proxy in front does not pass WebSockets')
  expect(detail).toContain('docs/deployment.md')
})

test('a refused origin is said in the words of the server', () => {
  const detail = "Pages of 'https://desk.example' may not use this server; --origins allows more"
  expect(unopened(403, { code: 'wrong_origin', detail })?.detail).toBe(detail)
})

test('any other answer says nothing', () => {
  expect(unopened(502, null)).toBeNull()
  expect(unopened(403, { code: 'forbidden' })).toBeNull()
})
