import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  type ConnectionSnapshot,
  createVivienneClient,
  type VivienneClient,
  VivienneProblem,
  VivienneUnreachable,
  VivienneWebSocketManager,
} from '../../src/index.js'
import { askCaller, withToken } from '../../src/token/index.js'
import { RunningServer } from '../server.js'

const server = new RunningServer('--require-token')
const tokens: Record<string, string> = {}
let client: VivienneClient | undefined
/** Every socket that was opened: where, and what it offered. */
let sockets: { url: string; protocols: string[] }[] = []
/** Every request: where, and what it showed. */
let requests: { url: string; authorization: string | null }[] = []

beforeAll(async () => {
  for (const role of ['viewer', 'tuner', 'admin'] as const) tokens[role] = await server.makeToken(`${role}-1`, role)
  await server.start()
})
afterAll(() => server.stop())
afterEach(() => {
  client?.close()
  sockets = []
  requests = []
})

class NotedSocket extends WebSocket {
  constructor(url: string, protocols: string[] = []) {
    super(url, protocols)
    sockets.push({ url, protocols })
  }
}

const noted: typeof fetch = (input, init) => {
  requests.push({ url: `${input}`, authorization: new Headers(init?.headers).get('Authorization') })
  return fetch(input, init)
}

function made(token: string | (() => string)): VivienneClient {
  const options = { baseUrl: server.url, WebSocket: NotedSocket, fetch: noted, firstDelay: 100, longestDelay: 200 }
  client = createVivienneClient(withToken(token, options))
  return client
}

/** The first snapshot for which something holds. */
function until(
  { connection }: Pick<VivienneClient, 'connection'>,
  holds: (snapshot: ConnectionSnapshot) => boolean,
): Promise<ConnectionSnapshot> {
  return new Promise((resolve) => {
    const look = (snapshot: ConnectionSnapshot) => {
      if (!holds(snapshot)) return
      end()
      resolve(snapshot)
    }
    const end = connection.on('connection', look)
    look(connection.getSnapshot())
  })
}
const settled = (one: Pick<VivienneClient, 'connection'>) =>
  until(one, ({ state }) => state === 'live' || state === 'refused')

async function revokedToken(name: string): Promise<{ token: string; revoke(): Promise<unknown> }> {
  const authorization = { Authorization: `Bearer ${tokens.admin}` }
  const made = await fetch(`${server.url}/auth/tokens`, {
    method: 'POST',
    headers: { ...authorization, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, role: 'viewer' }),
  })
  const { token } = (await made.json()) as { token: string }
  return {
    token,
    revoke: () => fetch(`${server.url}/auth/tokens/${name}`, { method: 'DELETE', headers: authorization }),
  }
}

test('with a token requests and streams work, and it is in no address', async () => {
  const { connection, rest, logs } = made(tokens.tuner ?? '')
  connection.connect()
  const tail = logs({ level: 'info' })
  tail.connect()
  expect(await settled({ connection })).toMatchObject({ state: 'live', reason: null })
  const { version } = await rest.partialUpdate({ settings: { state_threshold_bang: 85 } }, { asset: 'BTC' })
  expect((await rest.history({ limit: 1 })).history[0]).toMatchObject({ author: 'tuner-1', version })
  await expect.poll(() => tail.getSnapshot().records.length).toBeGreaterThan(0)
  expect(sockets.map(({ url }) => new URL(url).pathname).sort()).toEqual(['/ws/logs', '/ws/state'])
  for (const { protocols } of sockets) {
    expect(protocols).toEqual(['vivienne', expect.stringMatching(/^vivienne\.ticket\.[\w-]{40,}$/)])
  }
  expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${tokens.tuner}`]))
  expect([...sockets, ...requests].filter(({ url }) => url.includes('viv_'))).toEqual([])
})

test('each attempt to connect gets a ticket of its own', async () => {
  const { connection } = made(tokens.viewer ?? '')
  connection.connect()
  await settled({ connection })
  connection.disconnect()
  connection.connect()
  expect(await settled({ connection })).toMatchObject({ state: 'live' })
  expect(new Set(sockets.map(({ protocols }) => protocols[1])).size).toEqual(2)
})

test('a token the server does not know is refused, with its words, and not tried again', async () => {
  const { connection } = made(`viv_${'x'.repeat(43)}`)
  connection.connect()
  const question = connection.request({ type: 'subscribe', assets: ['BTC'] }).catch((error: unknown) => error)
  expect(await settled({ connection })).toMatchObject({
    state: 'refused',
    reason: 'The token is not known, has expired, or was revoked',
    retryAt: null,
  })
  expect(await question).toBeInstanceOf(VivienneUnreachable)
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect([requests.length, sockets.length, connection.getSnapshot().state]).toEqual([1, 0, 'refused'])
})

test('after it was refused, connect tries again with what the token is then', async () => {
  let token = 'viv_wrong'
  const { connection } = made(() => token)
  connection.connect()
  expect(await settled({ connection })).toMatchObject({ state: 'refused' })
  token = tokens.viewer ?? ''
  connection.connect()
  expect(await until({ connection }, ({ state }) => state === 'live')).toMatchObject({ reason: null })
})

test('a token that is revoked while the stream is open ends it, and says so', async () => {
  const { token, revoke } = await revokedToken('leaver')
  const { connection } = made(token)
  connection.connect()
  await settled({ connection })
  await revoke()
  expect(await until({ connection }, ({ state }) => state !== 'live')).toMatchObject({ retryAt: null })
  expect(connection.getSnapshot()).toMatchObject({ state: 'refused', reason: 'The token leaver was revoked' })
})

test('a server that is away is offline, not a refusal, and is found again', async () => {
  const { connection } = made(tokens.viewer ?? '')
  connection.connect()
  await settled({ connection })
  await server.kill()
  const offline = await until({ connection }, ({ reconnectAttempts }) => reconnectAttempts > 1)
  expect(offline.reason).toContain('cannot be reached')
  await server.start()
  expect(await until({ connection }, ({ state }) => state === 'live')).toMatchObject({ reconnectAttempts: 0 })
})

test('a token that may only look is told so when it changes something', async () => {
  const { rest } = made(tokens.viewer ?? '')
  const refusal = await rest.partialUpdate({ settings: { state_threshold_bang: 85 } }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(VivienneProblem)
  expect(refusal).toMatchObject({ status: 403, code: 'forbidden', message: expect.stringContaining('role tuner') })
})

test('who is behind a token can be asked, with and without a good one', async () => {
  expect(await askCaller(`${server.url}/`, tokens.tuner ?? '')).toEqual({ token: 'tuner-1', role: 'tuner' })
  for (const [token, message] of [
    ['', 'A token is needed'],
    ['viv_wrong', 'The token is not known, has expired, or was revoked'],
  ] as const) {
    const refusal = await askCaller(server.url, token).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ status: 401, code: 'unauthorized', message })
  }
})

test('without a token nothing is added: no request, no subprotocol', () => {
  const { connection } = made('')
  connection.connect()
  expect(sockets).toEqual([{ url: server.stateUrl, protocols: [] }])
  expect(requests).toEqual([])
})

test('a connection of its own can be given a token as well', async () => {
  const connection = new VivienneWebSocketManager(server.stateUrl, withToken(tokens.viewer ?? '', { WebSocket }))
  connection.connect()
  expect(await settled({ connection })).toMatchObject({ state: 'live' })
  connection.disconnect()
})

test('what is disconnected before its ticket came opens nothing that lasts', async () => {
  const { connection } = made(tokens.viewer ?? '')
  connection.connect()
  connection.disconnect()
  await expect.poll(() => requests.length).toEqual(1)
  connection.connect()
  expect(await settled({ connection })).toMatchObject({ state: 'live' })
})
