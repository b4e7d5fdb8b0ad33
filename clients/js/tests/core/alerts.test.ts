import { expect, test } from 'vitest'
import { AlertStream, VivienneAlerts } from '../../src/alerts/index.js'
import { VivienneProblem } from '../../src/index.js'
import { FakeSocket } from './fake_socket.js'

interface Asked {
  readonly method: string | undefined
  readonly url: string
  readonly headers: Headers
  readonly content: unknown
}

/** Rules of a server that gives one answer to everything, and what it was asked. */
function served(answer: object, status = 200) {
  const asked: Asked[] = []
  const fetch = (async (url: string, { method, headers, body }: RequestInit = {}) => {
    asked.push({ method, url, headers: new Headers(headers), content: body && JSON.parse(String(body)) })
    return new Response(JSON.stringify(answer), { status })
  }) as typeof globalThis.fetch
  return { asked, alerts: new VivienneAlerts('http://server/', { fetch, author: () => 'ana' }) }
}

const RULE = { name: 'bang', assets: ['*'], event: 'level', channels: [{ type: 'browser' }] } as const

test('a change of a rule has its author, its reason and an id of its own', async () => {
  const { asked, alerts } = served({ version: 4 })
  await alerts.replace('al_1', { ...RULE, assets: ['*'] }, { reason: 'loud', expectedVersion: 3, requestId: 'r1' })
  expect(asked[0]).toMatchObject({
    method: 'POST',
    url: 'http://server/phoenix/alerts/al_1',
    content: { ...RULE, author: 'ana', reason: 'loud', expected_version: 3 },
  })
  expect(asked[0]?.headers.get('Idempotency-Key')).toBe('r1')
})

test('a page of deliveries is asked for with what narrows it, and nothing else', async () => {
  const { asked, alerts } = served({ deliveries: [], next: null })
  await alerts.deliveries({ status: 'dead', alert_id: undefined, before: null, limit: 50 })
  expect(asked[0]?.url).toBe('http://server/phoenix/alerts/deliveries?status=dead&limit=50')
})

test('a refusal has every problem with its path', async () => {
  const errors = [{ path: 'channels.0.url', message: 'not a URL' }]
  const { alerts } = served({ code: 'invalid_configuration', title: 'Invalid', detail: 'not a URL', errors }, 422)
  const refused = await alerts.make({ ...RULE, assets: ['*'] }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(VivienneProblem)
  expect(refused).toMatchObject({ status: 422, errors })
})

test('the stream tells alerts and nothing else, and is live while it is silent', () => {
  const told: unknown[] = []
  const stream = new AlertStream('ws://server/ws/alerts', { WebSocket: FakeSocket })
  stream.on('alert', ({ event, sound }) => told.push([event.id, sound]))
  stream.connect()
  FakeSocket.last.open()
  expect(stream.getSnapshot().state).toBe('live')
  FakeSocket.last.receive({ type: 'alert', timestamp: '', event: { id: 'evt_1' }, sound: true })
  FakeSocket.last.receive({ type: 'error', message: 'no' })
  expect(told).toEqual([['evt_1', true]])
  stream.disconnect()
})
