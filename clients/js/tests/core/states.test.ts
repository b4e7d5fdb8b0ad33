import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type AssetData, StateStore, VivienneWebSocketManager } from '../../src/index.js'
import { FakeSocket, state } from './fake_socket.js'

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made = []
})
afterEach(() => {
  vi.useRealTimers()
})

/** A connection, and what it delivers: `BTC 1`, or `BTC missed 2`. */
function delivering(): { manager: VivienneWebSocketManager; delivered: string[] } {
  const manager = new VivienneWebSocketManager('ws://there', { WebSocket: FakeSocket, random: () => 0 })
  const delivered: string[] = []
  manager.on('asset_data', ({ asset, seq }) => delivered.push(`${asset} ${seq}`))
  manager.on('gap', ({ asset, missed }) => delivered.push(`${asset} missed ${missed}`))
  manager.connect()
  FakeSocket.last.open()
  return { manager, delivered }
}

function receive(...states: [asset: string, seq: number, timestamp?: string][]): void {
  for (const [asset, seq, timestamp] of states) {
    FakeSocket.last.receive(state(asset, seq, timestamp === undefined ? {} : { timestamp }))
  }
}

function reconnect(): void {
  FakeSocket.last.end()
  vi.advanceTimersByTime(100)
  FakeSocket.last.open()
}

test('each state is delivered once, and none that is older', () => {
  const { delivered } = delivering()
  receive(['BTC', 5], ['BTC', 5], ['BTC', 4], ['ETH', 1], ['BTC', 6], ['BTC', 5])
  expect(delivered).toEqual(['BTC 5', 'ETH 1', 'BTC 6'])
})

test('a gap says how many states were passed over', () => {
  const { delivered } = delivering()
  receive(['BTC', 5], ['ETH', 9], ['BTC', 6], ['BTC', 10], ['ETH', 11])
  expect(delivered).toEqual(['BTC 5', 'ETH 9', 'BTC 6', 'BTC missed 3', 'BTC 10', 'ETH missed 1', 'ETH 11'])
})

/** The status of an asset, as it was delivered last, and the messages that go on coming of another one. */
function watching(manager: VivienneWebSocketManager) {
  const states = new StateStore()
  manager.on('asset_data', (each) => states.receive(each))
  let seq = 10
  return {
    data: (asset: string) => states.get(asset)?.agents.VivienneAgent?.data,
    pass(seconds: number) {
      for (let passed = 0; passed < seconds; passed += 10) {
        vi.advanceTimersByTime(10_000)
        receive(['BTC', seq++])
      }
    },
  }
}

test('an asset that the server does not have any more is stale, without a decision, and follows again once it has it', () => {
  const { manager, delivered } = delivering()
  const { data, pass } = watching(manager)
  FakeSocket.last.receive(state('ETH', 7))
  reconnect()
  receive(['BTC', 1])
  pass(20)
  expect(data('ETH')).toMatchObject({ status: 'live' })
  pass(10)
  expect(data('ETH')).toMatchObject({ status: 'stale', position_size: 0, status_reason: 'nothing came of it for 30 s' })
  expect(data('BTC')).toMatchObject({ status: 'live' })
  pass(60)
  expect(delivered.filter((each) => each.startsWith('ETH'))).toEqual(['ETH 7', 'ETH 7'])
  receive(['ETH', 7])
  expect(data('ETH')).toMatchObject({ status: 'live' })
  receive(['ETH', 7], ['ETH', 8])
  expect(delivered.filter((each) => each.startsWith('ETH'))).toEqual(['ETH 7', 'ETH 7', 'ETH 7', 'ETH 8'])
})

test('an asset that was left out of the subscription is not called stale', () => {
  const { manager } = delivering()
  const { data, pass } = watching(manager)
  FakeSocket.last.receive(state('ETH', 7))
  manager.subscribe(['BTC'])
  pass(60)
  expect(data('ETH')).toMatchObject({ status: 'live' })
})

test('no asset falls silent while nothing at all comes, nor one that has ended', () => {
  const { manager } = delivering()
  const { data, pass } = watching(manager)
  FakeSocket.last.receive(state('ETH', 7))
  FakeSocket.last.receive(state('SOL', 7, { status: 'ended' }))
  vi.setSystemTime(Date.now() + 3_600_000) // as after a sleep
  receive(['BTC', 1])
  expect(data('ETH')).toMatchObject({ status: 'live' })
  pass(60)
  expect(data('ETH')).toMatchObject({ status: 'stale' })
  expect(data('SOL')).toMatchObject({ status: 'ended' })
})

test('after a reconnect the same state is not delivered again, a newer one is, without a gap', () => {
  const { delivered } = delivering()
  receive(['BTC', 5], ['ETH', 5])
  reconnect()
  receive(['BTC', 5], ['ETH', 9], ['BTC', 6])
  expect(delivered).toEqual(['BTC 5', 'ETH 5', 'ETH 9', 'BTC 6'])
})

test('a server that was restarted counts anew, and is believed', () => {
  const { delivered } = delivering()
  receive(['BTC', 500], ['ETH', 7, '2026-01-01T12:00:00Z'])
  reconnect()
  receive(['BTC', 1], ['ETH', 7, '2026-01-01T13:00:00Z'], ['BTC', 2])
  expect(delivered).toEqual(['BTC 500', 'ETH 7', 'BTC 1', 'ETH 7', 'BTC 2'])
})

test('states of assets that are not watched are left out, also those a new connection begins with', () => {
  const { manager, delivered } = delivering()
  receive(['BTC', 1], ['ETH', 1])
  manager.subscribe(['eth'])
  receive(['BTC', 2], ['ETH', 2])
  reconnect()
  receive(['BTC', 3], ['ETH', 3])
  expect(delivered).toEqual(['BTC 1', 'ETH 1', 'ETH 2', 'ETH 3'])
})

test('what was not watched for a while is no gap', () => {
  const { manager, delivered } = delivering()
  receive(['BTC', 1], ['ETH', 1])
  manager.subscribe(['BTC'])
  receive(['BTC', 2])
  manager.subscribe(['*'])
  receive(['BTC', 2], ['ETH', 40], ['BTC', 3], ['ETH', 42])
  expect(delivered).toEqual(['BTC 1', 'ETH 1', 'BTC 2', 'ETH 40', 'BTC 3', 'ETH missed 1', 'ETH 42'])
})

test('every message is there for who wants them all', () => {
  const { manager } = delivering()
  const types: string[] = []
  manager.on('message', ({ type }) => types.push(type))
  receive(['BTC', 1], ['BTC', 1])
  FakeSocket.last.receive({ type: 'subscribe_response', status: 'success', assets: ['BTC'] })
  expect(types).toEqual(['asset_data', 'asset_data', 'subscribe_response'])
})

test('the store has the newest state of each asset, in the order in which the assets came', () => {
  const store = new StateStore()
  expect([store.get('BTC'), store.assets()]).toEqual([undefined, []])
  for (const [asset, seq] of [
    ['SOL', 1],
    ['BTC', 1],
    ['SOL', 2],
  ] as const)
    store.receive(state(asset, seq) as AssetData)
  expect([store.get('SOL')?.seq, store.get('BTC')?.seq, store.assets()]).toEqual([2, 1, ['SOL', 'BTC']])
})

test('the list of assets is the same one until there is another asset', () => {
  const store = new StateStore()
  store.receive(state('BTC', 1) as AssetData)
  const assets = store.assets()
  store.receive(state('BTC', 2) as AssetData)
  expect(store.assets()).toBe(assets)
  store.receive(state('ETH', 1) as AssetData)
  expect([assets, store.assets()]).toEqual([['BTC'], ['BTC', 'ETH']])
})

test('who reads one asset is told of that one, who reads all of all, until they leave', () => {
  const store = new StateStore()
  const told: string[] = []
  const leaveBtc = store.subscribe('BTC', () => told.push(`BTC is at ${store.get('BTC')?.seq}`))
  const leaveAll = store.subscribeAll((asset) => told.push(`something of ${asset}`))
  store.receive(state('ETH', 1) as AssetData)
  store.receive(state('BTC', 1) as AssetData)
  leaveBtc()
  store.receive(state('BTC', 2) as AssetData)
  leaveAll()
  store.receive(state('BTC', 3) as AssetData)
  expect(told).toEqual(['something of ETH', 'BTC is at 1', 'something of BTC', 'something of BTC'])
})

test('who begins to read while others are being told hears from the next state on', () => {
  const store = new StateStore()
  const told: string[] = []
  store.subscribe('BTC', () => {
    if (told.push('first') === 1) store.subscribe('BTC', () => told.push('second'))
  })
  store.receive(state('BTC', 1) as AssetData)
  expect(told).toEqual(['first'])
  store.receive(state('BTC', 2) as AssetData)
  expect(told).toEqual(['first', 'first', 'second'])
})
