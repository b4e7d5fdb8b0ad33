import { expect, test } from 'vitest'
import { type Begun, type KeyAction, keyStep } from './shortcuts.ts'

/** Actions of keys pressed one after the other, at these times in ms; `a~` is a repetition of a key that is held. */
function actions(...presses: readonly [key: string, at: number][]): KeyAction[] {
  let begun: Begun | null = null
  return presses.map(([key, timeStamp]) => {
    const step = keyStep(begun, { key: key.replace('~', ''), timeStamp, repeat: key.endsWith('~') })
    begun = step.begun
    return step.action
  })
}

test('g and a letter opens a page', () => {
  expect(actions(['g', 0], ['l', 200])).toEqual([null, { to: '/logs' }])
  expect(actions(['g', 0], ['l', 2_000])).toEqual([null, null])
})

test('p and a letter pauses nothing until the letter is pressed once more, within 3 s', () => {
  expect(actions(['p', 0], ['a', 200])).toEqual([null, { arm: 'a' }])
  expect(actions(['p', 0], ['a', 200], ['a', 3_100])).toEqual([null, { arm: 'a' }, { pause: 'a' }])
  expect(actions(['p', 0], ['t', 200], ['t', 400])).toEqual([null, { arm: 't' }, { pause: 't' }])
  expect(actions(['p', 0], ['a', 200], ['a', 3_300])).toEqual([null, { arm: 'a' }, null])
  expect(actions(['p', 0], ['a', 200], ['n', 300], ['a', 400])).toEqual([null, { arm: 'a' }, null, null])
  expect(actions(['a', 0], ['a', 100])).toEqual([null, null])
  expect(actions(['g', 0], ['n', 100])).toEqual([null, null])
})

test('a letter that is held for a second confirms the pause, one that is held for a moment does not', () => {
  expect(actions(['p', 0], ['a', 200], ['a~', 700], ['a~', 1_250])).toEqual([null, { arm: 'a' }, null, { pause: 'a' }])
  expect(actions(['p', 0], ['p~', 500], ['p~', 530])).toEqual([null, null, null])
})

test('a letter alone does nothing, and another key ends the sequence', () => {
  expect(actions(['l', 0])).toEqual([null])
  expect(actions(['g', 0], ['x', 100], ['l', 200])).toEqual([null, null, null])
})

test('slash and question mark act at once, Shift on the way to it ends nothing', () => {
  expect(actions(['/', 0], ['?', 100])).toEqual(['filter', 'help'])
  expect(actions(['g', 0], ['Shift', 100], ['h', 200])).toEqual([null, null, { to: '/history' }])
})
