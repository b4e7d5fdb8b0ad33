import { expect, test } from 'vitest'
import { withFewReads } from './fewReads.ts'

/** What was sent, and the end of each. */
function hanging() {
  const sent: string[] = []
  const ends: (() => void)[] = []
  const send = (async (input: string) => {
    sent.push(input)
    await new Promise<void>((resolve) => ends.push(resolve))
    return new Response('')
  }) as typeof fetch
  return { sent, ends, few: withFewReads(send, 2) }
}

const settle = () => new Promise((resolve) => setTimeout(resolve))

test('few reads are under way, and a change waits for none of them', async () => {
  const { sent, ends, few } = hanging()
  const reads = ['/a', '/b', '/c', '/d'].map((each) => few(each))
  reads.push(few('/preview?bars=100', { method: 'POST' }))
  const pause = few('/pause', { method: 'POST' })
  reads.push(few('/pause'))
  await settle()
  expect(sent).toEqual(['/a', '/b', '/pause', '/pause'])
  while (ends.length > 0) {
    ends.shift()?.()
    await settle()
  }
  expect(sent).toEqual(['/a', '/b', '/pause', '/pause', '/c', '/d', '/preview?bars=100'])
  await Promise.all([...reads, pause])
})

test('a read that is given up takes no turn, and one that fails ends its own', async () => {
  const { sent, ends, few } = hanging()
  const leaving = new AbortController()
  const reads = [few('/a'), few('/b')]
  const left = few('/c', { signal: leaving.signal })
  const last = few('/d')
  await settle()
  leaving.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')
  await expect(few('/e', { signal: leaving.signal })).rejects.toThrow('left')
  ends.shift()?.()
  await settle()
  expect(sent).toEqual(['/a', '/b', '/d'])
  const failing = withFewReads((() => Promise.reject(new Error('gone'))) as typeof fetch, 1)
  await expect(failing('/a')).rejects.toThrow('gone')
  await expect(failing('/b')).rejects.toThrow('gone')
  for (const end of ends) end()
  await Promise.all([...reads, last])
})
