import { expect, test, vi } from 'vitest'
import { type VivienneClient, VivienneProblem, VivienneUnreachable } from 'vivienne-client'
import { pauseSoon } from './pauseSoon.ts'

const OVER_STREAM = { config_id: 'over the stream' }
const ALONE = { config_id: 'alone' }

/** A client whose stream and requests answer as they are told. */
function answering(state: string, overStream: () => Promise<unknown>, alone: () => Promise<unknown>) {
  const request = vi.fn(overStream)
  const pause = vi.fn(alone)
  const client = { connection: { getSnapshot: () => ({ state }), request }, rest: { pause } }
  return { client: client as unknown as VivienneClient, request, pause }
}

const never = () => new Promise<never>(() => {})

test('a pause goes over the stream, which waits for no other request', async () => {
  const { client, request, pause } = answering('live', async () => OVER_STREAM, never)
  const made = await pauseSoon(client, { asset: 'BTC', reason: 'wrong prices', author: 'ana' })
  expect(made).toBe(OVER_STREAM)
  expect(request).toHaveBeenCalledWith({ type: 'pause', asset: 'BTC', reason: 'wrong prices', author: 'ana' })
  expect(pause).not.toHaveBeenCalled()
})

test('without a stream that is alive it is a request of its own', async () => {
  const { client, request } = answering('stale', never, async () => ALONE)
  expect(await pauseSoon(client, { asset: null, author: '' })).toBe(ALONE)
  expect(request).not.toHaveBeenCalled()
})

test('a stream that breaks or does not answer keeps nobody waiting', async () => {
  const broken = answering(
    'live',
    () => Promise.reject(new VivienneUnreachable('it broke off')),
    async () => ALONE,
  )
  expect(await pauseSoon(broken.client, { asset: null })).toBe(ALONE)
  vi.useFakeTimers()
  const hanging = answering('live', never, async () => ALONE)
  const made = pauseSoon(hanging.client, { asset: null })
  await vi.advanceTimersByTimeAsync(999)
  expect(hanging.pause).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(await made).toBe(ALONE)
  vi.useRealTimers()
})

test('a refusal is not asked for twice, and of two failures the reason of the request is told', async () => {
  const problem = new VivienneProblem({ status: 403, code: 'forbidden', title: '', detail: 'not a tuner', errors: [] })
  const refused = answering('live', () => Promise.reject(problem), never)
  await expect(pauseSoon(refused.client, { asset: null })).rejects.toBe(problem)
  expect(refused.pause).not.toHaveBeenCalled()
  const gone = new VivienneUnreachable('the server cannot be reached')
  const both = answering(
    'live',
    () => Promise.reject(new VivienneUnreachable('it broke off')),
    () => Promise.reject(gone),
  )
  await expect(pauseSoon(both.client, { asset: null })).rejects.toBe(gone)
})
