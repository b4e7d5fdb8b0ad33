import { afterEach, expect, test, vi } from 'vitest'
import { once } from './once.ts'

afterEach(() => vi.unstubAllGlobals())

function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  const kept = new Map<string, string>()
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) }
}

test('of several tabs the first that can ring does, and no other', async () => {
  vi.stubGlobal('localStorage', storage())
  const rung: string[] = []
  const tab = (name: string, may: boolean) => () => {
    if (may) rung.push(name)
    return may
  }
  await once('ring evt_1', tab('never clicked on', false))
  await once('ring evt_1', tab('first', true))
  await once('ring evt_1', tab('second', true))
  await once('ring evt_2', tab('second', true))
  expect(rung).toEqual(['first', 'second'])
})
