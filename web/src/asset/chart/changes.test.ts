import { expect, test } from 'vitest'
import { groupChanges } from './changes.ts'

const at = (clock: string) => `2026-01-01T${clock}:00.000Z`
const QUARTER = 15 * 60_000

test('changes within one bar are one mark, at the time of the last', () => {
  const marks = [
    { version: 4, time: at('12:01') },
    { version: 5, time: at('12:14') },
    { version: 6, time: at('12:15') },
  ]
  expect(groupChanges(marks, [], QUARTER)).toEqual([
    { versions: [4, 5], time: at('12:14') },
    { versions: [6], time: at('12:15') },
  ])
})

test('a change the page saw first is marked once, at the time the server knows', () => {
  const groups = groupChanges([{ version: 4, time: at('12:01') }], [{ version: 4, time: at('12:02') }], QUARTER)
  expect(groups).toEqual([{ versions: [4], time: at('12:01') }])
})
