import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ManagerOptions, VivienneWebSocketManager } from '../../src/index.js'
import { FakeSocket, state } from './fake_socket.js'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  FakeSocket.made = []
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

function connected(options: ManagerOptions = {}): VivienneWebSocketManager {
  const manager = new VivienneWebSocketManager('ws://there/ws/state', {
    WebSocket: FakeSocket,
    random: () => 1,
    ...options,
  })
  manager.connect()
  return manager
}

function live(options: ManagerOptions = {}): VivienneWebSocketManager {
  const manager = connected(options)
  FakeSocket.last.open()
  FakeSocket.last.receive(state('BTC', 1))
  return manager
}

/** How long it waits for the next attempt. */
function delay(manager: VivienneWebSocketManager): number {
  return (manager.getSnapshot().retryAt ?? Number.NaN) - Date.now()
}

test('nothing is connected before connect, and once is enough', () => {
  const manager = new VivienneWebSocketManager(undefined, { WebSocket: FakeSocket })
  expect([manager.url, manager.getSnapshot().state]).toEqual(['ws://localhost:8000/ws/state', 'offline'])
  expect(FakeSocket.made).toEqual([])
  manager.connect()
  manager.connect()
  expect(FakeSocket.made.map(({ url }) => url)).toEqual(['ws://localhost:8000/ws/state'])
  manager.disconnect()
})

test('it is live from the first message on, not from the opening', () => {
  const manager = connected()
  const states = [manager.getSnapshot().state]
  FakeSocket.last.open()
  states.push(manager.getSnapshot().state)
  vi.advanceTimersByTime(2000)
  FakeSocket.last.receive(state('BTC', 1))
  states.push(manager.getSnapshot().state)
  expect(states).toEqual(['connecting', 'connecting', 'live'])
  expect(manager.getSnapshot()).toEqual({
    state: 'live',
    since: 1_002_000,
    lastMessageAt: 1_002_000,
    reconnectAttempts: 0,
    retryAt: null,
    reason: null,
  })
})

test('the snapshot is the same object until something changed', () => {
  const manager = live()
  const told: number[] = []
  const before = manager.getSnapshot()
  manager.on('connection', ({ lastMessageAt }) => told.push(lastMessageAt ?? 0))
  for (let seq = 2; seq < 12; seq++) {
    FakeSocket.last.receive(state('BTC', seq))
    vi.advanceTimersByTime(50)
  }
  expect(manager.getSnapshot()).toBe(before)
  vi.advanceTimersByTime(500)
  FakeSocket.last.receive(state('BTC', 20))
  expect(told).toEqual([1_001_000])
  expect(manager.getSnapshot().since).toEqual(before.since)
})

test('each failure makes it wait longer, up to the longest delay', () => {
  const manager = connected({ firstDelay: 500, longestDelay: 6000 })
  const delays = [0, 1, 2, 3, 4, 5].map(() => {
    FakeSocket.last.end()
    const waits = delay(manager)
    vi.advanceTimersByTime(waits)
    return waits
  })
  expect(delays).toEqual([500, 1000, 2000, 4000, 6000, 6000])
  expect(manager.reconnectAttempts).toEqual(6)
  expect(FakeSocket.made.length).toEqual(7)
})

test('the delay is random, so that clients do not come back all at once', () => {
  const draws = [0.5, 0.75]
  const manager = connected({ firstDelay: 1000, random: () => draws.shift() ?? 0 })
  FakeSocket.last.end()
  expect(delay(manager)).toEqual(500)
  vi.advanceTimersByTime(500)
  FakeSocket.last.end()
  expect(delay(manager)).toEqual(1500)
})

test('a server that refuses at once is not asked in a hot loop', () => {
  connected({ random: () => 0 })
  for (let elapsed = 0; elapsed < 1000; elapsed++) {
    if (FakeSocket.last.readyState === 0) FakeSocket.last.end()
    vi.advanceTimersByTime(1)
  }
  expect(FakeSocket.made.length).toEqual(11)
})

test('a server that accepts and closes again is a failure; only data ends the waiting', () => {
  const manager = connected()
  const delays: number[] = []
  for (const sendsData of [false, false, false, true, false]) {
    FakeSocket.last.open()
    if (sendsData) FakeSocket.last.receive(state('BTC', 1))
    FakeSocket.last.end(1011)
    delays.push(delay(manager))
    vi.advanceTimersByTime(delay(manager))
  }
  expect(delays).toEqual([500, 1000, 2000, 500, 1000])
})

test('an attempt that hangs is given up', () => {
  const manager = connected({ connectTimeout: 4000 })
  const hanging = FakeSocket.last
  vi.advanceTimersByTime(4000)
  expect(manager.getSnapshot()).toMatchObject({ state: 'offline', reason: 'no connection within 4 s' })
  expect(hanging.readyState).toEqual(3)
  vi.advanceTimersByTime(500)
  expect(FakeSocket.made.length).toEqual(2)
  // What the socket that was given up has still to say is not heard.
  hanging.open()
  hanging.end()
  expect(manager.getSnapshot().state).toEqual('connecting')
})

test('silence makes it stale, the next message live again', () => {
  const manager = live({ staleAfter: 5000 })
  vi.advanceTimersByTime(4999)
  const states = [manager.getSnapshot().state]
  vi.advanceTimersByTime(1)
  states.push(manager.getSnapshot().state)
  expect(manager.getSnapshot().reason).toEqual('nothing came for 5 s')
  FakeSocket.last.receive(state('BTC', 2))
  states.push(manager.getSnapshot().state)
  vi.advanceTimersByTime(4999)
  states.push(manager.getSnapshot().state)
  expect(states).toEqual(['live', 'stale', 'live', 'live'])
})

test('a connection that died without a word is closed and made anew', () => {
  const manager = live({ staleAfter: 5000 })
  const dead = FakeSocket.last
  vi.advanceTimersByTime(10_000)
  expect(manager.getSnapshot()).toMatchObject({ state: 'offline', reason: 'nothing came for 10 s' })
  expect(dead.readyState).toEqual(3)
  vi.advanceTimersByTime(500)
  FakeSocket.last.open()
  FakeSocket.last.receive(state('BTC', 7))
  expect(manager.getSnapshot()).toMatchObject({ state: 'live', reason: null })
  expect(FakeSocket.made.length).toEqual(2)
})

test('so is one that was opened and never said anything', () => {
  const manager = connected({ staleAfter: 5000 })
  FakeSocket.last.open()
  vi.advanceTimersByTime(5000)
  expect(manager.getSnapshot().state).toEqual('stale')
  vi.advanceTimersByTime(5000)
  expect(manager.getSnapshot().state).toEqual('offline')
})

test('the silence after a replay has ended is nothing to worry about', () => {
  const manager = live({ staleAfter: 5000 })
  FakeSocket.last.receive(state('ETH', 1, { status: 'ended' }))
  FakeSocket.last.receive(state('BTC', 2, { status: 'ended' }))
  vi.advanceTimersByTime(3_600_000)
  expect(manager.getSnapshot().state).toEqual('live')
  // One that is stale is sent again and again, so silence means something there.
  FakeSocket.last.receive(state('BTC', 3, { status: 'stale' }))
  vi.advanceTimersByTime(5000)
  expect(manager.getSnapshot().state).toEqual('stale')
})

test.each([
  { type: 'asset_changed' },
  { type: 'error', in_reply_to: 'subscribe' },
  { type: 'asset_changed', asset: 'BTC', base_seq: 1, patch: 7 },
  { type: 'asset_data', asset: 'BTC', seq: 2, agents: { VivienneAgent: null } },
])('a message that cannot be read breaks the connection at most, and throws nothing: %o', (message) => {
  const manager = live({ staleAfter: 5000 })
  FakeSocket.last.receive(message)
  vi.advanceTimersByTime(60_000)
  expect(['offline', 'connecting']).toContain(manager.getSnapshot().state)
})

test('an asset that is not watched any more does not keep it from being over', () => {
  const manager = live({ staleAfter: 5000 })
  FakeSocket.last.receive(state('ETH', 1))
  manager.subscribe(['BTC'])
  FakeSocket.last.receive(state('BTC', 2, { status: 'ended' }))
  vi.advanceTimersByTime(60_000)
  expect(manager.getSnapshot().state).toEqual('live')
})

test('neither does one that the restarted server does not have any more', () => {
  const manager = live({ staleAfter: 5000 })
  FakeSocket.last.receive(state('ETH', 1))
  FakeSocket.last.end()
  vi.advanceTimersByTime(500)
  FakeSocket.last.open()
  FakeSocket.last.receive(state('BTC', 9, { status: 'ended' }))
  vi.advanceTimersByTime(60_000)
  expect(manager.getSnapshot().state).toEqual('live')
})

test('where silence says nothing, an open connection is live and stays so', () => {
  const manager = connected({ staleAfter: Number.POSITIVE_INFINITY })
  FakeSocket.last.end()
  vi.advanceTimersByTime(500)
  FakeSocket.last.open()
  expect(manager.getSnapshot()).toMatchObject({ state: 'live', reason: null, reconnectAttempts: 1 })
  vi.advanceTimersByTime(3_600_000)
  expect(manager.getSnapshot()).toMatchObject({ state: 'live', reconnectAttempts: 0 })
})

test('there too, data forgets the failures at once', () => {
  const manager = live({ staleAfter: Number.POSITIVE_INFINITY })
  FakeSocket.last.end()
  vi.advanceTimersByTime(500)
  FakeSocket.last.open()
  expect(manager.reconnectAttempts).toEqual(1)
  FakeSocket.last.receive(state('BTC', 2))
  expect(manager.reconnectAttempts).toEqual(0)
})

test('a page keeps no listeners of a connection that was ended', () => {
  const listening: string[] = []
  const page = {
    addEventListener: (event: string) => listening.push(event),
    removeEventListener: (event: string) => listening.splice(listening.indexOf(event), 1),
  }
  vi.stubGlobal('addEventListener', page.addEventListener)
  vi.stubGlobal('removeEventListener', page.removeEventListener)
  vi.stubGlobal('document', page)
  const manager = connected()
  expect(listening).toEqual(['online', 'visibilitychange'])
  manager.disconnect()
  expect(listening).toEqual([])
})

test('disconnect ends the connection and leaves no timer behind', () => {
  const manager = live()
  const socket = FakeSocket.last
  manager.disconnect()
  expect([socket.readyState, manager.ws, vi.getTimerCount()]).toEqual([3, null, 0])
  socket.end()
  vi.advanceTimersByTime(60_000)
  expect(FakeSocket.made.length).toEqual(1)
  expect(manager.getSnapshot()).toMatchObject({ state: 'offline', retryAt: null, reason: null })
})

test('a socket that is still opening is let open before it is closed: browsers complain otherwise', () => {
  const manager = connected()
  manager.disconnect()
  expect(FakeSocket.last.readyState).toBe(0)
  FakeSocket.last.open()
  expect(FakeSocket.last.readyState).toBe(3)
  expect(manager.getSnapshot().state).toBe('offline')
})

test('disconnect cancels an attempt that is waited for', () => {
  const manager = connected()
  FakeSocket.last.end()
  manager.disconnect()
  vi.advanceTimersByTime(60_000)
  expect([FakeSocket.made.length, vi.getTimerCount()]).toEqual([1, 0])
  manager.connect()
  expect([FakeSocket.made.length, manager.reconnectAttempts]).toEqual([2, 0])
})

test('a listener may disconnect at any change of the connection', () => {
  for (const at of ['connecting', 'live', 'stale', 'offline'] as const) {
    const manager = new VivienneWebSocketManager('ws://there', { WebSocket: FakeSocket })
    manager.on('connection', ({ state: now }) => now === at && manager.disconnect())
    manager.connect()
    if (manager.ws) {
      FakeSocket.last.open()
      FakeSocket.last.receive(state('BTC', 1))
      vi.advanceTimersByTime(120_000)
    }
    expect([at, manager.ws, manager.getSnapshot().retryAt, vi.getTimerCount()]).toEqual([at, null, null, 0])
  }
})

test.each([
  ['the network is back', 'online', undefined],
  ['the page is looked at again', 'visibilitychange', 'visible'],
])('it does not wait any longer when %s', (_, event, visibilityState) => {
  const page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
  vi.stubGlobal('document', Object.assign(page, { visibilityState }))
  const manager = connected({ firstDelay: 30_000 })
  page.dispatchEvent(new Event(event))
  expect(FakeSocket.made.length).toEqual(1)
  FakeSocket.last.end()
  page.dispatchEvent(new Event(event))
  expect([manager.getSnapshot().state, FakeSocket.made.length]).toEqual(['connecting', 2])
  vi.advanceTimersByTime(9999)
  expect(FakeSocket.made.length).toEqual(2)
  manager.disconnect()
  page.dispatchEvent(new Event(event))
  expect(FakeSocket.made.length).toEqual(2)
})

test('an option that is undefined is left out', () => {
  const manager = connected({ connectTimeout: undefined, staleAfter: undefined } as unknown as ManagerOptions)
  vi.advanceTimersByTime(9999)
  expect(manager.getSnapshot().state).toEqual('connecting')
})

test('a page that is hidden waits', () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
  vi.stubGlobal('document', page)
  connected()
  FakeSocket.last.end()
  page.dispatchEvent(new Event('visibilitychange'))
  expect(FakeSocket.made.length).toEqual(1)
})

test('it says why it is not live', () => {
  const manager = connected()
  FakeSocket.last.end()
  const reasons = [manager.getSnapshot().reason]
  vi.advanceTimersByTime(500)
  expect(manager.getSnapshot()).toMatchObject({ state: 'connecting', reason: reasons[0] })
  FakeSocket.last.open()
  FakeSocket.last.end(1006)
  reasons.push(manager.getSnapshot().reason)
  vi.advanceTimersByTime(1000)
  FakeSocket.last.open()
  FakeSocket.last.end(1012, 'restarting')
  reasons.push(manager.getSnapshot().reason)
  expect(reasons).toEqual([
    'no connection to ws://there/ws/state (1006)',
    'the server closed the connection (1006)',
    'the server closed the connection (1012: restarting)',
  ])
})

test('a server that does not let it in is not asked again before the next connect', async () => {
  const manager = live()
  const question = manager.request({ type: 'subscribe', assets: ['BTC'] }).catch((error: Error) => error.message)
  FakeSocket.last.end(1008, 'The token ann was revoked')
  expect(manager.getSnapshot()).toMatchObject({
    state: 'refused',
    reason: 'The token ann was revoked',
    reconnectAttempts: 0,
    retryAt: null,
  })
  expect([await question, vi.getTimerCount()]).toEqual(['No answer: disconnected', 0])
  await expect(manager.request({ type: 'subscribe', assets: ['BTC'] })).rejects.toThrow('The token ann was revoked')
  manager.connect()
  expect([manager.getSnapshot().state, FakeSocket.made.length]).toEqual(['connecting', 2])
})

test('an address that is none is said, and does not throw', () => {
  class Refusing extends FakeSocket {
    constructor(url: string) {
      super(url)
      throw new SyntaxError(`${url} is no address`)
    }
  }
  const manager = new VivienneWebSocketManager('nowhere', { WebSocket: Refusing, random: () => 1 })
  manager.connect()
  expect(manager.getSnapshot()).toMatchObject({ state: 'offline', reason: 'SyntaxError: nowhere is no address' })
  vi.advanceTimersByTime(500)
  expect([manager.reconnectAttempts, delay(manager)]).toEqual([2, 1000])
})

test('where there are no WebSockets, connect says what to do', () => {
  vi.stubGlobal('WebSocket', undefined)
  const manager = new VivienneWebSocketManager()
  expect(() => manager.connect()).toThrow('No WebSocket in this environment; pass that of the package ws')
  expect(manager.getSnapshot().state).toEqual('offline')
})

test('a listener that throws keeps nobody else from being told', () => {
  const uncaught: (() => void)[] = []
  vi.stubGlobal('queueMicrotask', (task: () => void) => uncaught.push(task))
  const manager = live()
  const heard: number[] = []
  manager.on('asset_data', () => {
    throw new Error('mine')
  })
  const end = manager.on('asset_data', ({ seq }) => heard.push(seq))
  FakeSocket.last.receive(state('BTC', 2))
  end()
  FakeSocket.last.receive(state('BTC', 3))
  expect(heard).toEqual([2])
  expect(manager.getSnapshot().state).toEqual('live')
  expect(uncaught.length).toEqual(2)
  expect(uncaught[0]).toThrow('mine')
})

test('what cannot be read is passed over', () => {
  const manager = connected()
  const heard: unknown[] = []
  for (const event of ['message', 'asset_data', 'error', 'log'] as const) manager.on(event, (told) => heard.push(told))
  FakeSocket.last.open()
  for (const text of ['', '{', 'null', '7', '[]', '{"kind": 1}', new Uint8Array(3)]) FakeSocket.last.receiveText(text)
  expect(heard).toEqual([])
  expect(manager.getSnapshot().state).toEqual('connecting')
  FakeSocket.last.receive({ type: 'of a later version' })
  expect(heard).toEqual([{ type: 'of a later version' }])
})

test('a server cannot make up what is known here only', () => {
  const manager = live()
  const told: unknown[] = []
  for (const event of ['connection', 'gap', 'message'] as const) manager.on(event, (payload) => told.push(payload))
  const made = [{ type: 'connection' }, { type: 'gap' }, { type: 'message' }]
  for (const message of made) FakeSocket.last.receive(message)
  expect(told).toEqual(made)
})
