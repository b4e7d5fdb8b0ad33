import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Acknowledgement, debouncedUpdate, type PartialConfiguration, VivienneError } from '../../src/index.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const BANG: PartialConfiguration = { settings: { state_threshold_bang: 85 } }
const AIM: PartialConfiguration = { settings: { state_threshold_aim: 75 } }
const acknowledged = (version: number) => ({ version }) as Acknowledgement

/** A server that answers when the test says so. */
function sending() {
  const sent: PartialConfiguration[] = []
  const answers: PromiseWithResolvers[] = []
  const send = (config: PartialConfiguration) => {
    sent.push(config)
    return new Promise<Acknowledgement>((resolve, reject) => answers.push({ resolve, reject }))
  }
  return { sent, answers, send }
}
interface PromiseWithResolvers {
  resolve: (acknowledgement: Acknowledgement) => void
  reject: (error: Error) => void
}

test('changes are sent together, when nothing was added for a while', async () => {
  const { sent, answers, send } = sending()
  const update = debouncedUpdate(send)
  const first = update.push(BANG)
  vi.advanceTimersByTime(999)
  const second = update.push(AIM)
  const third = update.push({ settings: { state_threshold_bang: 90 } })
  vi.advanceTimersByTime(999)
  expect(sent).toEqual([])
  vi.advanceTimersByTime(1)
  expect(sent).toEqual([{ settings: { state_threshold_bang: 90, state_threshold_aim: 75 } }])
  answers[0]?.resolve(acknowledged(7))
  expect(await Promise.all([first, second, third])).toEqual([7, 7, 7].map(acknowledged))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sent.length).toEqual(1)
})

test('one sending at a time: what is added meanwhile waits for its end', async () => {
  const { sent, answers, send } = sending()
  const update = debouncedUpdate(send, 100)
  const first = update.push(BANG)
  vi.advanceTimersByTime(100)
  const second = update.push(AIM)
  await vi.advanceTimersByTimeAsync(5000)
  expect(sent).toEqual([BANG])
  answers[0]?.resolve(acknowledged(1))
  expect(await first).toEqual(acknowledged(1))
  await vi.advanceTimersByTimeAsync(0)
  expect(sent).toEqual([BANG, AIM])
  answers[1]?.resolve(acknowledged(2))
  expect(await second).toEqual(acknowledged(2))
})

test('what was added just now still waits its time after a sending has ended', async () => {
  const { sent, answers, send } = sending()
  const update = debouncedUpdate(send, 100)
  void update.push(BANG)
  vi.advanceTimersByTime(100)
  void update.push(AIM)
  answers[0]?.resolve(acknowledged(1))
  await vi.advanceTimersByTimeAsync(99)
  expect(sent).toEqual([BANG])
  await vi.advanceTimersByTimeAsync(1)
  expect(sent).toEqual([BANG, AIM])
})

test('a sending that fails fails for its own changes only', async () => {
  const { sent, answers, send } = sending()
  const update = debouncedUpdate(send, 100)
  const failure = update.push(BANG).catch((error: unknown) => error)
  vi.advanceTimersByTime(100)
  const later = update.push(AIM)
  answers[0]?.reject(new Error('refused'))
  expect(await failure).toEqual(new Error('refused'))
  await vi.advanceTimersByTimeAsync(100)
  answers[1]?.resolve(acknowledged(2))
  expect([await later, sent]).toEqual([acknowledged(2), [BANG, AIM]])
})

test('a sender that throws is a sending that fails, also when nobody looks', async () => {
  const update = debouncedUpdate(() => {
    throw new Error('no network')
  }, 100)
  void update.push(BANG)
  await vi.advanceTimersByTimeAsync(100)
  await expect(Promise.all([update.push(AIM), update.flush()])).rejects.toThrow('no network')
})

test('flush does not wait, and says when it is done', async () => {
  const { sent, answers, send } = sending()
  const update = debouncedUpdate(send)
  expect(update.flush()).toEqual(undefined)
  void update.push(BANG)
  const flushed = update.flush()
  expect(sent).toEqual([BANG])
  answers[0]?.resolve(acknowledged(3))
  expect(await flushed).toEqual(acknowledged(3))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sent.length).toEqual(1)
})

test('cancel drops what waits and leaves what is under way', async () => {
  const { sent, answers, send } = sending()
  const update = debouncedUpdate(send, 100)
  const first = update.push(BANG)
  vi.advanceTimersByTime(100)
  const second = update.push(AIM).catch((error: unknown) => error)
  vi.advanceTimersByTime(100)
  update.cancel()
  // Nobody looks at this one.
  void update.push(BANG)
  update.cancel()
  expect(await second).toEqual(new VivienneError('Cancelled before it was sent'))
  answers[0]?.resolve(acknowledged(1))
  expect(await first).toEqual(acknowledged(1))
  await vi.advanceTimersByTimeAsync(1000)
  expect([sent, vi.getTimerCount()]).toEqual([[BANG], 0])
})
