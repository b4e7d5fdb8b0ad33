import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LogTail } from '../../src/index.js'
import { FakeSocket } from './fake_socket.js'

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made = []
})
afterEach(() => {
  vi.useRealTimers()
})

function connected(capacity?: number): LogTail {
  const options = { WebSocket: FakeSocket, random: () => 0 }
  const tail = new LogTail('ws://there/ws/logs', capacity === undefined ? options : { ...options, capacity })
  tail.connect()
  FakeSocket.last.open()
  return tail
}

function reconnect(): void {
  FakeSocket.last.end()
  vi.advanceTimersByTime(100)
  FakeSocket.last.open()
}

function receive(...messages: (string | object)[]): void {
  for (const each of messages) {
    const more = typeof each === 'string' ? { message: each } : each
    FakeSocket.last.receive({
      type: 'log',
      timestamp: '2026-01-01T12:00:00.000Z',
      level: 'INFO',
      logger: 'vivienne',
      ...more,
    })
  }
}

function messages(tail: LogTail): string[] {
  vi.advanceTimersByTime(100)
  return tail.getSnapshot().records.map(({ message }) => message)
}

test('records are numbered, oldest first, the newest are kept', () => {
  const tail = connected(3)
  receive('a', 'b', 'c', 'd')
  expect(messages(tail)).toEqual(['b', 'c', 'd'])
  receive('e')
  expect(messages(tail)).toEqual(['c', 'd', 'e'])
  expect(tail.getSnapshot().records.map(({ id }) => id)).toEqual([3, 4, 5])
})

test('however many records come, listeners are told ten times a second at most', () => {
  const tail = connected(10)
  let told = 0
  const end = tail.subscribe(() => told++)
  for (let at = 0; at < 100; at++) {
    receive(...Array.from({ length: 50 }, (_, inner) => `${at}-${inner}`))
    vi.advanceTimersByTime(10)
  }
  // Ten with records, and one with the connection's last message.
  expect(told).toEqual(11)
  expect(tail.getSnapshot().records.map(({ message }) => message)[0]).toEqual('99-40')
  end()
  receive('more')
  vi.advanceTimersByTime(1000)
  expect(told).toEqual(11)
})

test('the snapshot is the same object until something changed', () => {
  const tail = connected()
  receive('a')
  vi.advanceTimersByTime(100)
  const before = tail.getSnapshot()
  vi.advanceTimersByTime(60_000)
  expect(tail.getSnapshot().records).toBe(before.records)
  expect(tail.getSnapshot().connection.state).toEqual('live')
})

test('what the server repeats after a reconnect is not added again', () => {
  const tail = connected()
  receive('a', 'b', 'b', 'c')
  reconnect()
  receive('a', 'b', 'b', 'c', 'd')
  receive('d', 'c')
  expect(messages(tail)).toEqual(['a', 'b', 'b', 'c', 'd', 'd', 'c'])
})

test('what came while it was away, or was left out before, is added', () => {
  const tail = connected()
  receive('a', { message: 'd', dropped: 2 })
  reconnect()
  receive('a', 'b', 'c', 'd', 'e')
  expect(messages(tail)).toEqual(['a', 'd', 'b', 'c', 'e'])
  expect(tail.getSnapshot().dropped).toEqual(2)
})

test('records of a restarted server that look like old ones but are later are added', () => {
  const tail = connected()
  receive('Vivienne listens')
  reconnect()
  receive({ message: 'Vivienne listens', timestamp: '2026-01-01T13:00:00.000Z' })
  expect(messages(tail)).toEqual(['Vivienne listens', 'Vivienne listens'])
})

test('what was cleared does not come back', () => {
  const tail = connected()
  receive('a', { message: 'b', dropped: 4 })
  vi.advanceTimersByTime(100)
  receive('c')
  tail.clear()
  expect(tail.getSnapshot()).toMatchObject({ records: [], dropped: 0 })
  reconnect()
  receive('a', 'b', 'c', 'd')
  expect(messages(tail)).toEqual(['d'])
})

test('how many records the server left out is counted', () => {
  const tail = connected()
  receive('a', { message: 'b', dropped: 3 }, { message: 'c', dropped: 4 })
  expect(messages(tail)).toEqual(['a', 'b', 'c'])
  expect(tail.getSnapshot().dropped).toEqual(7)
  expect(tail.getSnapshot().records.map(({ dropped }) => dropped)).toEqual([undefined, 3, 4])
})

test('disconnect keeps the records, those just come too, and leaves no timer behind', () => {
  const tail = connected()
  receive('a')
  tail.disconnect()
  expect([tail.getSnapshot().records.map(({ message }) => message), vi.getTimerCount()]).toEqual([['a'], 0])
  expect(tail.getSnapshot().connection.state).toEqual('offline')
})

test('a log that is silent is live', () => {
  const tail = connected()
  vi.advanceTimersByTime(3_600_000)
  expect([tail.getSnapshot().connection.state, FakeSocket.made.length]).toEqual(['live', 1])
})

test('renewing makes the connection anew, if there is one', () => {
  const tail = new LogTail(undefined, { WebSocket: FakeSocket })
  tail.renew()
  expect(FakeSocket.made).toEqual([])
  tail.connect()
  FakeSocket.last.open()
  tail.renew()
  expect(FakeSocket.made.map(({ url, readyState }) => [url, readyState])).toEqual([
    ['ws://localhost:8000/ws/logs', 3],
    ['ws://localhost:8000/ws/logs', 0],
  ])
  tail.disconnect()
})
