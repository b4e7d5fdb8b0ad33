import { expect, test } from 'vitest'
import type { DecisionPreview, Verdict } from 'vivienne-client'
import { lookOf } from './look.ts'

const GOOD = { isError: false, data: { valid: true } as Verdict }
const OPEN = { isError: false, data: undefined }
const FAILED = { isError: true, data: undefined }
const came = { data: {} as DecisionPreview, error: null }
const open = { data: undefined, error: null }
const failed = { data: undefined, error: new Error('no answer within 10 s') }

test('a change can be saved once its effect was seen on every asset', () => {
  expect(lookOf(GOOD, [came, came])).toBe('seen')
  expect(lookOf(GOOD, [came, open])).toBe('waiting')
  expect(lookOf(OPEN, [came])).toBe('waiting')
  expect(lookOf(GOOD, [failed, open])).toBe('waiting')
})

test('what did not come is said, so that it can be saved without', () => {
  expect(lookOf(GOOD, [came, failed])).toBe('failed')
  expect(lookOf(FAILED, [came])).toBe('failed')
})

test('a change that is refused waits for nothing', () => {
  expect(lookOf({ isError: false, data: { valid: false } as Verdict }, [open])).toBe('seen')
})
