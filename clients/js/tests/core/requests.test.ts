import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  type ConfigUpdate,
  VivienneError,
  VivienneProblem,
  VivienneTimeout,
  VivienneUnreachable,
  VivienneWebSocketManager,
} from '../../src/index.js'
import { FakeSocket, state } from './fake_socket.js'

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made = []
})
afterEach(() => {
  vi.useRealTimers()
})

const UPDATE: ConfigUpdate = { type: 'config_update', asset: 'BTC', config: { bang_threshold: 85 } }

function open(): VivienneWebSocketManager {
  const manager = new VivienneWebSocketManager('ws://there', {
    WebSocket: FakeSocket,
    random: () => 0,
    updates: 'states',
  })
  manager.connect()
  FakeSocket.last.open()
  return manager
}

const answer = (request_id: unknown, version = 1) => ({
  type: 'config_update_response',
  status: 'success',
  version,
  request_id,
})

test('each question gets its own answer, in whatever order they come', async () => {
  const manager = open()
  const questions = [manager.request(UPDATE), manager.request(UPDATE)]
  const [first, second] = FakeSocket.last.sent.map(({ request_id }) => request_id)
  FakeSocket.last.receive(state('BTC', 1))
  FakeSocket.last.receive(answer(second, 2))
  FakeSocket.last.receive(answer(first, 1))
  expect(await Promise.all(questions)).toEqual([answer(first, 1), answer(second, 2)])
  expect(first).not.toEqual(second)
  manager.disconnect()
  expect(vi.getTimerCount()).toEqual(0)
})

test('the message is sent as it is, with an id unless it has one', async () => {
  const manager = open()
  void manager.request({ ...UPDATE, request_id: 'tune-1' })
  FakeSocket.last.receive(answer('tune-1'))
  expect(FakeSocket.last.sent).toEqual([{ ...UPDATE, request_id: 'tune-1' }])
})

test.each([
  { type: 'resume', asset: 'BTC' },
  { type: 'control', strategy: 'resume', asset: 'BTC' },
] as const)('a resumption does not wait for the connection, and a pause does', async (resumption) => {
  const manager = new VivienneWebSocketManager('ws://there', { WebSocket: FakeSocket, updates: 'states' })
  manager.connect()
  const early = [manager.request({ type: 'pause', asset: 'BTC' }), manager.request(resumption)]
  await expect(early[1]).rejects.toThrow('Not connected to ws://there: still connecting')
  FakeSocket.last.open()
  void manager.request({ type: 'resume', asset: 'BTC', request_id: 'later' })
  expect(FakeSocket.last.sent.map(({ type }) => type)).toEqual(['pause', 'resume'])
  FakeSocket.last.receive({ ...answer('later'), type: 'resume_response' })
  FakeSocket.last.receive({ ...answer(FakeSocket.last.sent[0]?.request_id), type: 'pause_response' })
  await early[0]
})

test('what is asked while the connection opens is sent when it is open', async () => {
  const manager = new VivienneWebSocketManager('ws://there', { WebSocket: FakeSocket, updates: 'states' })
  manager.connect()
  const question = manager.request({ ...UPDATE, request_id: 'early' })
  expect(FakeSocket.last.sent).toEqual([])
  FakeSocket.last.open()
  expect(FakeSocket.last.sent).toEqual([{ ...UPDATE, request_id: 'early' }])
  FakeSocket.last.receive(answer('early'))
  expect(await question).toEqual(answer('early'))
})

test('a refusal is a problem with everything that is wrong, and no error event', async () => {
  const manager = open()
  const events: unknown[] = []
  manager.on('error', (error) => events.push(error))
  const question = manager.request({ ...UPDATE, request_id: 'no' })
  const errors = [{ path: 'settings.state_threshold_bang', message: 'Bang threshold must be between 0 and 100' }]
  const message = `The configuration is not valid: ${errors[0]?.message}`
  FakeSocket.last.receive({
    type: 'error',
    code: 'invalid_configuration',
    message,
    errors,
    in_reply_to: 'config_update',
    request_id: 'no',
  })
  const problem = await question.catch((error: unknown) => error)
  expect(problem).toBeInstanceOf(VivienneProblem)
  expect({ ...(problem as VivienneProblem), message: (problem as VivienneProblem).message }).toEqual({
    name: 'VivienneProblem',
    message,
    status: 0,
    code: 'invalid_configuration',
    title: message,
    detail: message,
    errors,
    requestId: 'no',
  })
  expect(events).toEqual([])
})

test('an error nobody asked for is an event', () => {
  const manager = open()
  const events: unknown[] = []
  manager.on('error', (error) => events.push(error))
  const error = {
    type: 'error',
    code: 'malformed',
    message: 'The message cannot be read: no',
    errors: [],
    in_reply_to: null,
  }
  FakeSocket.last.receive(error)
  expect(events).toEqual([error])
})

test('answers are events as well', async () => {
  const manager = open()
  const events: unknown[] = []
  for (const event of ['config_update_response', 'control_response', 'subscribe_response'] as const) {
    manager.on(event, (told) => events.push(told))
  }
  const question = manager.request({ ...UPDATE, request_id: 'a' })
  const answers = [
    answer('a'),
    { type: 'control_response', request_id: 'b' },
    { type: 'subscribe_response', assets: [] },
  ]
  for (const each of answers) FakeSocket.last.receive(each)
  await question
  expect(events).toEqual(answers)
})

test('an answer that does not come in time is a timeout, with the id to ask again', async () => {
  const manager = open()
  const question = manager.request({ ...UPDATE, request_id: 'slow' }, 3000)
  const failure = question.catch((error: unknown) => error)
  vi.advanceTimersByTime(3000)
  expect(await failure).toEqual(new VivienneTimeout('No answer within 3 s', 'slow'))
  const again = manager.request({ ...UPDATE, request_id: 'slow' })
  FakeSocket.last.receive(answer('slow', 2))
  expect(await again).toEqual(answer('slow', 2))
})

test('when the connection breaks, whoever waits for an answer is told', async () => {
  const manager = open()
  const failures = ['a', 'b'].map((request_id) =>
    manager.request({ ...UPDATE, request_id }).catch((error: unknown) => error),
  )
  FakeSocket.last.end(1012)
  const sentence = 'No answer: the server closed the connection (1012)'
  expect(await Promise.all(failures)).toEqual(['a', 'b'].map((id) => new VivienneUnreachable(sentence, id)))
})

test('so it is when it is ended on purpose', async () => {
  const manager = open()
  const failure = manager.request({ ...UPDATE, request_id: 'a' }).catch((error: unknown) => error)
  manager.disconnect()
  const sentence = 'No answer: disconnected'
  expect(await failure).toEqual(new VivienneUnreachable(sentence, 'a'))
  expect(vi.getTimerCount()).toEqual(0)
})

test('without a connection nothing is waited for, and the reason is given', async () => {
  const manager = open()
  FakeSocket.last.end(1006)
  const sentence = 'Not connected to ws://there: the server closed the connection (1006)'
  const request = { ...UPDATE, request_id: 'x' }
  await expect(manager.request(request)).rejects.toEqual(new VivienneUnreachable(sentence, 'x'))
  manager.disconnect()
  await expect(manager.request(request)).rejects.toEqual(
    new VivienneUnreachable('Not connected to ws://there: call connect()', 'x'),
  )
})

test('no more answers are waited for than can be kept in mind, and each only once', async () => {
  const manager = open()
  const first = manager.request({ ...UPDATE, request_id: 'once' })
  await expect(manager.request({ ...UPDATE, request_id: 'once' })).rejects.toBeInstanceOf(VivienneError)
  FakeSocket.last.receive(answer('once'))
  expect(await first).toEqual(answer('once'))
  const waiting = Array.from({ length: 256 }, () => manager.request(UPDATE).catch((error: unknown) => error))
  await expect(manager.request(UPDATE)).rejects.toBeInstanceOf(VivienneError)
  manager.disconnect()
  expect((await Promise.all(waiting)).every((error) => error instanceof VivienneUnreachable)).toEqual(true)
})

test('a subscription is remembered and sent again after a reconnect', () => {
  const manager = new VivienneWebSocketManager('ws://there', {
    WebSocket: FakeSocket,
    random: () => 0,
    updates: 'states',
  })
  manager.subscribe(['btc', 'ETH'])
  manager.connect()
  const sent = () => FakeSocket.last.sent
  expect(sent()).toEqual([])
  FakeSocket.last.open()
  expect(sent()).toEqual([{ type: 'subscribe', assets: ['BTC', 'ETH'] }])
  FakeSocket.last.end()
  vi.advanceTimersByTime(100)
  FakeSocket.last.open()
  manager.subscribe(['*'])
  expect(sent()).toEqual([
    { type: 'subscribe', assets: ['BTC', 'ETH'] },
    { type: 'subscribe', assets: ['*'] },
  ])
  FakeSocket.last.end()
  vi.advanceTimersByTime(100)
  FakeSocket.last.open()
  expect(sent()).toEqual([])
})

test('so is one that was made as a request', async () => {
  const manager = open()
  const question = manager.request({ type: 'subscribe', assets: ['SOL'], request_id: 's' })
  const response = { type: 'subscribe_response', status: 'success', assets: ['SOL'], request_id: 's' }
  FakeSocket.last.receive(response)
  expect(await question).toEqual(response)
  FakeSocket.last.end()
  vi.advanceTimersByTime(100)
  FakeSocket.last.open()
  expect(FakeSocket.last.sent).toEqual([{ type: 'subscribe', assets: ['SOL'] }])
})

test('a subscription that is refused is forgotten: what there is keeps coming', () => {
  const manager = open()
  const heard: string[] = []
  manager.on('asset_data', ({ asset }) => heard.push(asset))
  manager.subscribe(['DOGE'])
  FakeSocket.last.receive(state('BTC', 1))
  FakeSocket.last.receive({
    type: 'error',
    code: 'unknown_target',
    message: 'There is no such target: Unknown asset',
    errors: [],
    in_reply_to: 'subscribe',
  })
  FakeSocket.last.receive(state('BTC', 2))
  expect(heard).toEqual(['BTC'])
  FakeSocket.last.end()
  vi.advanceTimersByTime(100)
  FakeSocket.last.open()
  expect(FakeSocket.last.sent).toEqual([])
})
