import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createVivienneClient, withValue } from '../../src/index.js'
import { DEFAULTS, FakeSocket, state } from './fake_socket.js'

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made = []
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const client = () => createVivienneClient({ baseUrl: 'http://there:8000', WebSocket: FakeSocket, random: () => 0 })
const urls = () => FakeSocket.made.map(({ url }) => url)

test.each([
  [undefined, 'ws://localhost:8000/ws/state'],
  ['https://desk.example/', 'wss://desk.example/ws/state'],
  ['http://127.0.0.1:9000/vivienne', 'ws://127.0.0.1:9000/vivienne/ws/state'],
])('the stream of %s is at %s', (baseUrl, url) => {
  expect(createVivienneClient(baseUrl === undefined ? {} : { baseUrl }).connection.url).toEqual(url)
})

test('without an address of its own it talks to the server of the page', () => {
  vi.stubGlobal('location', { origin: 'https://desk.example' })
  expect(createVivienneClient({ baseUrl: '' }).connection.url).toEqual('wss://desk.example/ws/state')
  expect(createVivienneClient({ baseUrl: '/proxied' }).connection.url).toEqual('wss://desk.example/proxied/ws/state')
})

test('it connects while anybody holds it', () => {
  const { connection, retain } = client()
  expect(urls()).toEqual([])
  const release = [retain(), retain()]
  release[0]?.()
  release[0]?.()
  vi.advanceTimersByTime(5000)
  expect([urls(), connection.getSnapshot().state]).toEqual([['ws://there:8000/ws/state'], 'connecting'])
  release[1]?.()
  vi.advanceTimersByTime(999)
  expect(connection.getSnapshot().state).toEqual('connecting')
  vi.advanceTimersByTime(1)
  expect([connection.getSnapshot().state, vi.getTimerCount()]).toEqual(['offline', 0])
})

test('whoever takes it over within a second takes the connection over', () => {
  const { connection, retain } = client()
  retain()()
  vi.advanceTimersByTime(900)
  retain()
  vi.advanceTimersByTime(5000)
  expect([urls().length, connection.getSnapshot().state]).toEqual([1, 'connecting'])
})

test('close ends everything, and what is released later does no harm', () => {
  const { connection, logs, retain, close } = client()
  const release = retain()
  const tail = logs()
  tail.connect()
  close()
  expect([connection.ws, tail.getSnapshot().connection.state, vi.getTimerCount()]).toEqual([null, 'offline', 0])
  const next = retain()
  release()
  vi.advanceTimersByTime(5000)
  expect(connection.getSnapshot().state).toEqual('connecting')
  close()
  retain()()
  vi.advanceTimersByTime(1000)
  expect(connection.getSnapshot().state).toEqual('offline')
  next()
})

test('states and configurations are kept, also while it is disconnected', () => {
  const { states, configs, retain, close } = client()
  retain()
  FakeSocket.last.open()
  const config = withValue(DEFAULTS, 'settings.state_threshold_bang', 91)
  FakeSocket.last.receive(state('BTC', 1, { agents: { VivienneAgent: { data: {}, config } } } as never))
  FakeSocket.last.receive(state('ETH', 4))
  close()
  expect([states.assets(), states.get('ETH')?.seq, configs.get('BTC')]).toEqual([['BTC', 'ETH'], 4, config])
})

test('when a state is told, its configuration is known already', () => {
  const { states, configs, retain } = client()
  const told: unknown[] = []
  states.subscribe('BTC', () => told.push(configs.get('BTC')))
  retain()
  FakeSocket.last.open()
  FakeSocket.last.receive(state('BTC', 1))
  expect(told).toEqual([DEFAULTS])
})

test('a break of the connection renews that of the logs, which cannot tell silence from a break', () => {
  const { logs, retain, close } = client()
  const [tail, other] = [logs({ level: 'warning' }), logs()]
  retain()
  const stream = FakeSocket.last
  tail.connect()
  stream.open()
  FakeSocket.last.open()
  stream.end()
  expect(urls()).toEqual([
    'ws://there:8000/ws/state',
    'ws://there:8000/ws/logs?level=warning',
    'ws://there:8000/ws/logs?level=warning',
  ])
  expect(other.getSnapshot().connection.state).toEqual('offline')
  close()
})
