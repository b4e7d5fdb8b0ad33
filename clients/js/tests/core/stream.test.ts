import { afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  type AssetData,
  createVivienneClient,
  type VivienneClient,
  VivienneProblem,
  type VivienneWebSocketManager,
} from '../../src/index.js'
import { type RunningServer, sharedServer } from '../server.js'

let server: RunningServer
let client: VivienneClient

beforeAll(async () => {
  server = await sharedServer()
})
afterEach(async () => {
  await client.rest.reset({ all: true }, { asset: 'BTC' })
  client.close()
})

function watch(): VivienneClient {
  client = createVivienneClient({ baseUrl: server.url, WebSocket, firstDelay: 200, longestDelay: 500 })
  client.retain()
  return client
}

/** The first of the events for which something holds. */
function until<T>(listen: (listener: (payload: T) => void) => () => void, holds: (payload: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const end = listen((payload) => {
      if (!holds(payload)) return
      end()
      resolve(payload)
    })
  })
}
const stateWith = (connection: VivienneWebSocketManager, holds: (state: AssetData) => boolean) =>
  until<AssetData>((listener) => connection.on('asset_data', listener), holds)
const live = (connection: VivienneWebSocketManager) =>
  until<{ state: string }>(
    (listener) => connection.on('connection', listener),
    ({ state }) => state === 'live',
  )

test('states of all assets come by themselves, each newer than the one before', async () => {
  const { connection, states, configs, rest } = watch()
  const seqs: number[] = []
  connection.on('asset_data', ({ asset, seq }) => asset === 'SOL' && seqs.push(seq))
  await stateWith(connection, () => seqs.length > 3)
  expect([...states.assets()].sort()).toEqual(['BTC', 'ETH', 'SOL'])
  expect([...new Set(seqs)].sort((a, b) => a - b)).toEqual(seqs)
  expect(connection.getSnapshot()).toMatchObject({ state: 'live', reconnectAttempts: 0 })
  expect(configs.get('BTC')).toEqual((await rest.active('BTC')).config)
})

test('changes over a real socket make the states that a client without them gets', async () => {
  const { connection } = watch()
  const raw = new Set<string>()
  connection.on('message', ({ type }) => raw.add(type))
  const whole = createVivienneClient({ baseUrl: server.url, WebSocket, updates: 'states' })
  const letGo = whole.retain()
  const found = new Map<string, AssetData>()
  whole.connection.on('asset_data', (state) => found.set(`${state.asset} ${state.seq}`, state))
  connection.on('asset_data', (state) => compare(state))
  let same = 0
  const compare = (state: AssetData) =>
    setTimeout(() => {
      const other = found.get(`${state.asset} ${state.seq}`)
      if (other) same += Number(JSON.stringify(sorted(other)) === JSON.stringify(sorted(state))) || Number.NaN
    }, 200)
  await until<AssetData>(
    (listener) => connection.on('asset_data', listener),
    () => same > 20 || Number.isNaN(same),
  )
  letGo()
  whole.close()
  expect(same).toBeGreaterThan(20)
  expect([...raw].sort()).toEqual(['asset_changed', 'asset_data', 'subscribe_response'])
})

/** With its fields in one order, at any depth. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, inner]) => [name, sorted(inner)])
}

test('a subscription narrows the stream, and widens it again', async () => {
  const { connection } = watch()
  await live(connection)
  expect(await connection.request({ type: 'subscribe', assets: ['btc'] })).toMatchObject({ assets: ['BTC'] })
  const raw: string[] = []
  connection.on('message', (message) => 'seq' in message && raw.push(message.asset))
  await stateWith(connection, () => raw.length > 5)
  expect([...new Set(raw)]).toEqual(['BTC'])
  connection.subscribe(['*'])
  expect((await stateWith(connection, ({ asset }) => asset === 'SOL')).asset).toEqual('SOL')
})

test('what is wrong with a subscription comes as an error', async () => {
  const { connection } = watch()
  const error = until<{ code: string }>(
    (listener) => connection.on('error', listener),
    () => true,
  )
  connection.subscribe(['DOGE'])
  expect(await error).toMatchObject({ type: 'error', code: 'unknown_target', in_reply_to: 'subscribe' })
})

test('a change over the socket is answered, and in force in the states that follow', async () => {
  const { connection, rest } = watch()
  const answer = await connection.request({
    type: 'config_update',
    asset: 'BTC',
    config: { bang_threshold: 87 },
    author: 'ana',
    reason: 'over the socket',
  })
  expect(answer).toMatchObject({ type: 'config_update_response', status: 'success', asset: 'BTC' })
  const version = 'version' in answer ? answer.version : Number.NaN
  const { agents } = await stateWith(
    connection,
    ({ asset, config_version }) => asset === 'BTC' && config_version >= version,
  )
  expect(agents.VivienneAgent?.config.settings.state_threshold_bang).toEqual(87)
  expect((await rest.history({ limit: 1 })).history[0]).toMatchObject({ author: 'ana', channel: 'websocket', version })
})

test('control messages are answered too, and changes that are only tried out', async () => {
  const { connection, rest } = watch()
  const params = { asset_symbol: 'BTC', position_size_bang: 13 }
  const control = await connection.request({ type: 'control', strategy: 'general_parameters', params })
  expect(control).toMatchObject({ type: 'control_response', status: 'success' })
  const config = { position_size_bang: 14 }
  const tried = await connection.request({ type: 'config_update', asset: 'BTC', config, validate_only: true })
  expect(tried).toMatchObject({ type: 'config_update_response', status: 'valid' })
  expect((await rest.active('BTC')).config.settings.position_size_bang).toEqual(13)
})

test('a change that is refused is a problem, the connection stays', async () => {
  const { connection } = watch()
  const refusal = connection.request({ type: 'config_update', asset: 'BTC', config: { bang_threshold: 105 } })
  const problem = await refusal.catch((error: unknown) => error)
  expect(problem).toBeInstanceOf(VivienneProblem)
  expect(problem).toMatchObject({
    code: 'invalid_configuration',
    errors: [{ path: 'settings.state_threshold_bang', message: 'Bang threshold must be between 0 and 100' }],
  })
  expect((await stateWith(connection, () => true)).type).toEqual('asset_data')
})

test('a server that was killed and started again is found again, with what was subscribed and a new count', async () => {
  const { connection, states } = watch()
  connection.subscribe(['ETH'])
  await stateWith(connection, ({ asset }) => asset === 'ETH')
  const changes: string[] = []
  connection.on('connection', ({ state }) => changes.at(-1) !== state && changes.push(state))
  await server.kill()
  const before = states.get('ETH')
  const restarted = stateWith(connection, () => true)
  await server.start()
  const after = await restarted
  expect(after.asset).toEqual('ETH')
  expect(Date.parse(after.timestamp)).toBeGreaterThan(Date.parse(before?.timestamp ?? ''))
  expect([changes[0], changes.at(-1), states.assets()]).toEqual(['offline', 'live', ['ETH']])
  expect(connection.getSnapshot()).toMatchObject({ state: 'live', reconnectAttempts: 0, reason: null })
  expect((await connection.request({ type: 'subscribe', assets: ['*'] })).type).toEqual('subscribe_response')
})

test('the log is followed; after a break it goes on without anything twice', async () => {
  const { logs, rest } = watch()
  const tail = logs()
  tail.connect()
  const held = () => tail.getSnapshot().records.map(({ timestamp, message }) => `${timestamp} ${message}`)
  const about = (text: string) =>
    until<void>(
      (listener) => tail.subscribe(listener),
      () => held().some((line) => line.includes(text)),
    )
  const first = about('by the first')
  await rest.partialUpdate({ settings: { state_threshold_bang: 88 } }, { asset: 'BTC', author: 'the first' })
  await first
  tail.renew()
  const second = about('by the second')
  await rest.partialUpdate({ settings: { state_threshold_bang: 89 } }, { asset: 'BTC', author: 'the second' })
  await second
  expect(held()).toEqual([...new Set(held())])
  expect(held().filter((line) => line.includes('by the first')).length).toEqual(1)
  expect(tail.getSnapshot().records.every(({ level }) => level === 'INFO')).toEqual(true)
  tail.disconnect()
})

test('of a level with nothing to say there is nothing, over a live connection', async () => {
  const { logs } = watch()
  const tail = logs({ level: 'critical' })
  const connected = until<void>(
    (listener) => tail.subscribe(listener),
    () => tail.getSnapshot().connection.state === 'live',
  )
  tail.connect()
  await connected
  expect(tail.getSnapshot().records).toEqual([])
  tail.disconnect()
})
