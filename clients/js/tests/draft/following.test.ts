import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Following } from '../../src/draft/following.js'
import type { VivienneClient } from '../../src/index.js'
import { offlineClient, state, TestSocket } from '../react/offline.js'

let client: VivienneClient
let following: Following
/** What the server answers, in the order it is asked. */
let answers: ((answer: string) => void)[]
/** What was put in place. */
let shown: string[]

beforeEach(() => {
  client = offlineClient()
  client.connection.connect()
  answers = []
  shown = []
  const load = () =>
    new Promise<() => void>((resolve) => answers.push((answer) => resolve(() => void shown.push(answer))))
  following = new Following(client, 'BTC', load, () => {})
})
afterEach(() => {
  following.stop()
  client.close()
})

const asked = (times: number) => vi.waitFor(() => expect(answers).toHaveLength(times))
/** Long enough for whatever follows at once. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('what follows the configuration', () => {
  it('is asked for again when the version moves while it is asked for, and shows each answer', async () => {
    following.start()
    await asked(1)
    TestSocket.newest.open()
    TestSocket.newest.push(state('BTC', 1, {}, 2))
    answers[0]?.('first')
    await asked(2)
    answers[1]?.('second')
    await vi.waitFor(() => expect(shown).toEqual(['first', 'second']))
    TestSocket.newest.push(state('BTC', 2, {}, 2))
    TestSocket.newest.push(state('ETH', 2, {}, 3))
    await settled()
    expect(answers).toHaveLength(2)
  })

  it('does not show an answer that cannot know of the own change', async () => {
    following.start()
    await asked(1)
    const anew = following.loadAnew()
    answers[0]?.('before the change')
    await asked(2)
    answers[1]?.('after the change')
    await anew
    expect(shown).toEqual(['after the change'])
  })

  it('is asked for again after the connection broke, since another server may have come', async () => {
    TestSocket.newest.open()
    TestSocket.newest.push(state('BTC', 1))
    following.start()
    await asked(1)
    answers[0]?.('first')
    await vi.waitFor(() => expect(shown).toEqual(['first']))
    TestSocket.newest.close(1006)
    await vi.waitFor(() => expect(TestSocket.all).toHaveLength(2))
    TestSocket.newest.open()
    TestSocket.newest.push(state('BTC', 1))
    await asked(2)
  })
})
