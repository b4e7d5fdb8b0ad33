import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type AssetData, type ManagerOptions, VivienneWebSocketManager } from '../../src/index.js'
import { patched } from '../../src/patch.js'
import { FakeSocket, state } from './fake_socket.js'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  FakeSocket.made = []
})
afterEach(() => {
  vi.useRealTimers()
})

interface Watched {
  manager: VivienneWebSocketManager
  states: AssetData[]
  missed: number[]
  errors: unknown[]
}

function open(options: ManagerOptions = {}): Watched {
  const manager = new VivienneWebSocketManager('ws://there', { WebSocket: FakeSocket, random: () => 0, ...options })
  const watched: Watched = { manager, states: [], missed: [], errors: [] }
  manager.on('asset_data', (each) => watched.states.push(each))
  manager.on('gap', ({ missed }) => watched.missed.push(missed))
  manager.on('error', (error) => watched.errors.push(error))
  manager.connect()
  FakeSocket.last.open()
  return watched
}

function reconnect(): void {
  FakeSocket.last.end()
  vi.advanceTimersByTime(100)
  FakeSocket.last.open()
}

const sent = () => FakeSocket.last.sent
const subscriptions = () => sent().map(({ assets, updates }) => ({ assets, updates }))
const ALL = { assets: ['*'], updates: 'changes' }

function changed(seq: number, base_seq: number, more: object = {}, asset = 'BTC') {
  const data = { price: 100 + seq, ...more }
  const patch = { timestamp: `2026-01-01T12:00:00.${seq}Z`, seq, agents: { VivienneAgent: { data } } }
  return { type: 'asset_changed', asset, seq, base_seq, patch }
}

/** The answer to the last subscription. */
function answer(): void {
  FakeSocket.last.receive({ ...sent().at(-1), type: 'subscribe_response', status: 'success' })
}

/** What a server says that does not know changes. */
function refuse(): void {
  const { request_id } = sent().at(-1) ?? {}
  const errors = [{ path: 'updates', message: "Unknown field 'updates'; the nearest known one is 'assets'" }]
  FakeSocket.last.receive({
    type: 'error',
    code: 'malformed',
    message: 'no',
    errors,
    in_reply_to: 'subscribe',
    request_id,
  })
}

test('it asks for changes when it opens, and after each reconnect', () => {
  open()
  expect(subscriptions()).toEqual([ALL])
  reconnect()
  expect(subscriptions()).toEqual([ALL])
})

test('with states it asks for nothing', () => {
  open({ updates: 'states' })
  expect(sent()).toEqual([])
})

test('changes make whole states, which share with the former one what did not change', () => {
  const { states, missed } = open()
  answer()
  FakeSocket.last.receive(state('BTC', 7))
  const before = structuredClone(states[0])
  FakeSocket.last.receive(changed(8, 7))
  FakeSocket.last.receive(changed(10, 8))
  expect(states).toEqual([state('BTC', 7), state('BTC', 8), state('BTC', 10)])
  expect(missed).toEqual([1])
  expect(states[0]).toEqual(before)
  expect(states[2]?.agents.VivienneAgent?.config).toBe(states[0]?.agents.VivienneAgent?.config)
})

test('a change to a state that is not there has a whole one asked for, once', () => {
  const { states } = open()
  answer()
  FakeSocket.last.receive(state('BTC', 1))
  FakeSocket.last.receive(changed(4, 3))
  FakeSocket.last.receive(changed(5, 4))
  expect(subscriptions()).toEqual([ALL, ALL])
  answer()
  FakeSocket.last.receive(state('BTC', 6))
  FakeSocket.last.receive(changed(7, 6))
  expect(states.map(({ seq }) => seq)).toEqual([1, 6, 7])
  expect(sent().length).toEqual(2)
  FakeSocket.last.receive(changed(9, 8))
  expect(sent().length).toEqual(3)
})

test('a state of the connection before does not serve as a base, even if its number is the right one', () => {
  const { states } = open()
  FakeSocket.last.receive(state('BTC', 1))
  reconnect()
  answer()
  FakeSocket.last.receive(changed(2, 1))
  expect(states.map(({ seq }) => seq)).toEqual([1])
  expect(sent().length).toEqual(2)
})

test('changes of an asset that is not watched any more are followed and not delivered', () => {
  const { manager, states } = open()
  FakeSocket.last.receive(state('BTC', 1))
  FakeSocket.last.receive(state('ETH', 1))
  manager.subscribe(['ETH'])
  FakeSocket.last.receive(changed(2, 1))
  FakeSocket.last.receive(changed(2, 1, {}, 'ETH'))
  expect(states.map(({ asset, seq }) => `${asset} ${seq}`)).toEqual(['BTC 1', 'ETH 1', 'ETH 2'])
  expect(subscriptions()).toEqual([ALL, { assets: ['ETH'], updates: 'changes' }])
})

test('a server that does not know changes is asked once, and sends whole states', () => {
  const { states, errors, manager } = open()
  refuse()
  expect(subscriptions()).toEqual([ALL, { assets: ['*'] }])
  FakeSocket.last.receive(state('BTC', 1))
  FakeSocket.last.receive(state('BTC', 2))
  manager.subscribe(['BTC'])
  expect(subscriptions().at(-1)).toEqual({ assets: ['BTC'] })
  expect([states.length, errors]).toEqual([2, []])
  reconnect()
  expect(subscriptions()).toEqual([{ assets: ['BTC'], updates: 'changes' }])
  refuse()
  expect(subscriptions().at(-1)).toEqual({ assets: ['BTC'] })
  expect(errors).toEqual([])
})

test('so is one that is subscribed to by a request, which gets its answer', async () => {
  const { manager } = open()
  const question = manager.request({ type: 'subscribe', assets: ['SOL'], request_id: 's' })
  expect(subscriptions().at(-1)).toEqual({ assets: ['SOL'], updates: 'changes' })
  refuse()
  expect(sent().at(-1)).toEqual({ type: 'subscribe', assets: ['SOL'], request_id: 's' })
  answer()
  expect(await question).toMatchObject({ type: 'subscribe_response', assets: ['SOL'] })
})

test('its own subscriptions are answered to nobody; raw messages come all the same', () => {
  const { manager, states } = open()
  const heard: string[] = []
  const raw: string[] = []
  manager.on('subscribe_response', () => heard.push('subscribe_response'))
  manager.on('message', ({ type }) => raw.push(type))
  answer()
  FakeSocket.last.receive(state('BTC', 1))
  FakeSocket.last.receive(changed(2, 1))
  expect([heard, raw, states.length]).toEqual([[], ['subscribe_response', 'asset_data', 'asset_changed'], 2])
})

// Read from a text, as messages are: that has no -0, which is written as 0.
const json = fc.json({ maxDepth: 4 }).map((text): unknown => JSON.parse(text))
const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), json)

/** The patch between two values in the plainest way, or undefined where only a whole one says it. */
function difference(before: Record<string, unknown>, after: Record<string, unknown>): object | undefined {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
  const hasNull = (value: unknown): boolean =>
    value === null || (isObject(value) && Object.values(value as object).some(hasNull))
  const parts: [string, unknown][] = []
  for (const [name, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined
    if (JSON.stringify(old) === JSON.stringify(value)) continue
    const inner = isObject(old) && isObject(value) ? difference(old as never, value as never) : value
    if (inner === undefined || (inner === value && hasNull(value))) return undefined
    parts.push([name, inner])
  }
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) parts.push([name, null])
  return Object.fromEntries(parts)
}

test('a patch makes exactly the other object, and leaves the first as it was', () => {
  fc.assert(
    fc.property(object, object, (before, after) => {
      const patch = difference(before, after)
      fc.pre(patch !== undefined)
      const kept = JSON.stringify(before)
      expect(patched(before, JSON.parse(JSON.stringify(patch)))).toEqual(after)
      expect(JSON.stringify(before)).toEqual(kept)
    }),
  )
})

test('after any states, losses and reconnects it has the state of the server', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('state' as const), price: fc.integer(), note: json }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('lost' as const), price: fc.integer(), note: json }) },
    { weight: 1, arbitrary: fc.constant({ does: 'reconnect' as const }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      FakeSocket.made = []
      const { manager, states } = open()
      let now = { ...state('BTC', 1), note: null as unknown }
      /** The state from which this connection goes on; undefined if it needs a whole one. */
      let base: typeof now | undefined
      let asked = 0
      /** The server answers what it was asked, and says what there is. */
      const say = (isLost: boolean) => {
        if (sent().length > asked) {
          asked = sent().length
          answer()
          base = undefined
        }
        const patch = base && difference(base, now)
        const message = patch ? { type: 'asset_changed', asset: 'BTC', seq: now.seq, base_seq: base?.seq, patch } : now
        base = now
        if (!isLost) FakeSocket.last.receive(message)
      }
      say(false)
      for (const each of steps) {
        if (each.does === 'reconnect') {
          reconnect()
          asked = 0
          base = undefined
        } else {
          const seq = now.seq + 1
          now = { ...state('BTC', seq), note: each.note, timestamp: `${each.price} ${seq}` }
        }
        say(each.does === 'lost')
      }
      now = { ...now, seq: now.seq + 1 }
      say(false)
      say(false)
      expect(states.at(-1)).toEqual(now)
      manager.disconnect()
    }),
    { numRuns: 200 },
  )
})
