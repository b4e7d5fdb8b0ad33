import { expect, test } from 'vitest'
import { keyStep } from './shortcuts.ts'

test('g and a letter opens a page', () => {
  expect(keyStep(null, 'g')).toEqual({ action: null, waiting: 'g' })
  expect(keyStep('g', 'l')).toEqual({ action: { to: '/logs' }, waiting: null })
})

test('p and a letter pauses, and neither does anything alone', () => {
  expect(keyStep(null, 'p')).toEqual({ action: null, waiting: 'p' })
  expect(keyStep('p', 'a')).toEqual({ action: { pause: 'a' }, waiting: null })
  expect(keyStep('p', 't')).toEqual({ action: { pause: 't' }, waiting: null })
  expect(keyStep(null, 'a').action).toBeNull()
  expect(keyStep('g', 'a').action).toBeNull()
})

test('a letter alone does nothing, and another key ends the sequence', () => {
  expect(keyStep(null, 'l')).toEqual({ action: null, waiting: null })
  expect(keyStep('g', 'x')).toEqual({ action: null, waiting: null })
})

test('slash and question mark act at once, Shift on the way to it ends nothing', () => {
  expect(keyStep(null, '/').action).toBe('filter')
  expect(keyStep('g', 'Shift')).toEqual({ action: null, waiting: 'g' })
  expect(keyStep(null, '?').action).toBe('help')
})
