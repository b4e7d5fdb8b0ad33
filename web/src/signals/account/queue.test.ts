import { expect, test } from 'vitest'
import { oneAfterAnother } from './queue.ts'

test('tasks run one after the other; one that failed, or that nobody wants any longer, holds up nobody', async () => {
  const inTurn = oneAfterAnother()
  const begun: string[] = []
  const task =
    (name: string, fails = false) =>
    async () => {
      begun.push(name)
      if (fails) throw new Error(name)
      return name
    }
  const unwanted = AbortSignal.abort()
  const all = [inTurn(task('a')), inTurn(task('b', true)), inTurn(task('c'), unwanted), inTurn(task('d'))]
  expect(begun, 'not at once').toEqual([])
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'fulfilled',
  ])
  expect(begun).toEqual(['a', 'b', 'd'])
})
