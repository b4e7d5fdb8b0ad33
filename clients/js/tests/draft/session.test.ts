import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { DraftSession } from '../../src/draft/session.js'
import type { VivienneClient } from '../../src/index.js'
import { eventually, LiveServer } from './live.js'

const BANG = 'settings.state_threshold_bang'
const AIM = 'settings.state_threshold_aim'

let server: LiveServer
let client: VivienneClient
/** Somebody else. */
let other: VivienneClient
const started: DraftSession[] = []

beforeAll(async () => {
  server = await LiveServer.start()
})

beforeEach(async () => {
  client = server.client()
  other = server.client()
  await Promise.all(['BTC', null].map((asset) => other.rest.reset({ all: true }, { asset })))
})
afterEach(() => {
  for (const session of started.splice(0)) session.stop()
  client.close()
  other.close()
})

/** A session that has loaded. */
async function sessionOf(asset: string | null): Promise<DraftSession> {
  const session = new DraftSession(client, asset)
  started.push(session)
  session.start()
  await eventually(() => expect(session.getSnapshot().snapshot?.version).toEqual(expect.any(Number)))
  return session
}

const fieldOf = (session: DraftSession, path: string) => session.getSnapshot().snapshot?.fields[path]

describe('a draft kept up with a server', () => {
  it('has a field for everything the server can be told, with what is in force', async () => {
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 85 } })
    await other.rest.partialUpdate({ settings: { state_threshold_aim: 72 } }, { asset: 'BTC' })
    const session = await sessionOf('BTC')
    const { config, sources } = await client.rest.active('BTC')
    const fields = session.getSnapshot().snapshot?.fields ?? {}
    for (const [path, source] of Object.entries(sources)) expect(fields[path]).toMatchObject({ path, source })
    expect(fields[BANG]).toMatchObject({ value: 85, source: 'global', inherits: 85, inheritsFrom: 'global' })
    expect(fields[AIM]).toMatchObject({ value: 72, source: 'asset', inherits: 70, inheritsFrom: 'default' })
    expect(fields['signals.rsi_full']?.value).toBe(config.signals.rsi_full)
  })

  it('follows what others change, and leaves alone what is typed', async () => {
    client.retain()
    const session = await sessionOf('BTC')
    session.getSnapshot().draft?.set(BANG, 90)
    await other.rest.partialUpdate(
      { settings: { state_threshold_bang: 85, state_threshold_aim: 72 } },
      { asset: 'BTC' },
    )
    await eventually(() => expect(fieldOf(session, AIM)?.value).toBe(72))
    expect(fieldOf(session, BANG)).toMatchObject({ typed: 90, value: 85, base: 80, conflict: true })
  })

  it('of all assets follows a change of any layer', async () => {
    client.retain()
    const session = await sessionOf(null)
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 85 } })
    await eventually(() => expect(fieldOf(session, BANG)).toMatchObject({ value: 85, source: 'global', inherits: 80 }))
  })

  it('sends only what was changed, once, with who and why', async () => {
    const asked = vi.fn(fetch)
    client = server.client({ fetch: asked })
    const session = await sessionOf('BTC')
    session.getSnapshot().draft?.set(BANG, 85)
    const saving = session.save({ author: 'ana', reason: 'fewer' })
    expect(session.getSnapshot().saving).toBe(true)
    expect(await session.save()).toBeNull() // one at a time
    const answer = await saving
    expect(asked.mock.calls.filter(([, init]) => init?.method === 'POST')).toHaveLength(1)
    expect(answer?.changed).toEqual([{ path: BANG, old: 80, new: 85 }])
    expect(session.getSnapshot()).toMatchObject({
      saving: false,
      error: null,
      snapshot: { dirty: false, version: answer?.version },
    })
    expect(fieldOf(session, BANG)).toMatchObject({ value: 85, source: 'asset' })
    const [entry] = (await other.rest.history({ asset: 'BTC', limit: 1 })).history
    expect(entry).toMatchObject({ author: 'ana', reason: 'fewer', config: { settings: { state_threshold_bang: 85 } } })
  })

  it('saves all the same when something else was changed at the same moment', async () => {
    const session = await sessionOf('BTC')
    session.getSnapshot().draft?.set(BANG, 85)
    // Nobody listens to the stream here, so the draft does not know.
    await other.rest.partialUpdate({ settings: { state_threshold_aim: 72 } }, { asset: 'BTC' })
    expect(await session.save()).not.toBeNull()
    expect((await other.rest.active('BTC')).config.settings).toMatchObject({
      state_threshold_bang: 85,
      state_threshold_aim: 72,
    })
  })

  it('does not overwrite a change it did not show', async () => {
    const session = await sessionOf('BTC')
    session.getSnapshot().draft?.set(BANG, 85)
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 90 } }, { asset: 'BTC' })
    expect(await session.save()).toBeNull()
    expect(session.getSnapshot().error).toMatch(/^Not saved: .* choose/)
    expect(fieldOf(session, BANG)).toMatchObject({ conflict: true, value: 90, typed: 85 })
    session.getSnapshot().draft?.keepMine(BANG)
    expect(session.getSnapshot().error).toBeNull()
    expect((await session.save())?.changed).toEqual([{ path: BANG, old: 90, new: 85 }])
  })

  it('does not send what is half typed when it has to send again', async () => {
    let overtaken = false
    client = server.client({
      fetch: async (input, init) => {
        if (init?.method === 'POST' && !overtaken) {
          overtaken = true
          await other.rest.partialUpdate({ settings: { state_threshold_aim: 72 } }, { asset: 'BTC' })
          session.getSnapshot().draft?.set(BANG, 90)
        }
        return fetch(input, init)
      },
    })
    const session = await sessionOf('BTC')
    session.getSnapshot().draft?.set(BANG, 85)
    expect(await session.save()).toBeNull()
    expect(session.getSnapshot().error).toMatch(/^Not saved: .* save again/)
    expect((await other.rest.active('BTC')).config.settings.state_threshold_bang).toBe(80)
    expect((await session.save())?.changed).toEqual([{ path: BANG, old: 80, new: 90 }])
  })

  it('shows what is in force even while it changes faster than it can be asked for', async () => {
    client.retain()
    const session = await sessionOf('BTC')
    let asking = true
    const changes = (async () => {
      for (let aim = 55; asking && aim < 75; aim = aim === 74 ? 55 : aim + 1) {
        await other.rest.partialUpdate({ settings: { state_threshold_aim: aim } }, { asset: 'BTC' })
      }
    })()
    const seen = new Set<unknown>()
    await eventually(() => {
      seen.add(fieldOf(session, AIM)?.value)
      expect(seen.size).toBeGreaterThan(3)
    })
    asking = false
    await changes
  })

  it('shows beside the field that another asset speaks against it', async () => {
    await other.rest.partialUpdate({ settings: { state_threshold_aim: 78 } }, { asset: 'BTC' })
    const session = await sessionOf(null)
    session.getSnapshot().draft?.set(BANG, 75)
    expect(await session.save()).toBeNull()
    expect(fieldOf(session, BANG)?.error).toBe('BTC: Aim threshold (78) must not be above bang threshold (75)')
    expect(session.getSnapshot().error).toMatch(/BTC/)
    session.getSnapshot().draft?.set(BANG, 79)
    expect(session.getSnapshot().error).toBeNull()
    expect(await session.save()).not.toBeNull()
  })

  it('lets a value be inherited again, and ends its edit', async () => {
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 85 } }, { asset: 'BTC' })
    const session = await sessionOf('BTC')
    session.getSnapshot().draft?.set(BANG, 90)
    session.getSnapshot().draft?.set(AIM, 71)
    await session.reset(['settings.state_threshold_bang'], { author: 'ana' })
    expect(fieldOf(session, BANG)).toMatchObject({ value: 80, source: 'default' })
    expect(session.getSnapshot().snapshot?.document).toEqual({ settings: { state_threshold_aim: 71 } })
  })

  it('rejects a reset that is refused, and says why', async () => {
    const session = await sessionOf('BTC')
    await expect(session.reset(['settings.heigh'])).rejects.toThrow(/Unknown path 'settings.heigh'/)
    expect(session.getSnapshot().error).toMatch(/Unknown path 'settings.heigh'/)
  })

  it('says what is wrong with the asset', async () => {
    const session = new DraftSession(client, 'DOGE')
    started.push(session)
    session.start()
    await eventually(() => expect(session.getSnapshot().error).toMatch(/^Unknown asset 'DOGE'/))
    expect(session.getSnapshot().draft).toBeNull()
  })

  it('does not ask again and again for what is refused', async () => {
    const asked = vi.fn(fetch)
    client = server.client({ fetch: asked })
    const session = new DraftSession(client, 'DOGE')
    started.push(session)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      session.start()
      await eventually(() => expect(session.getSnapshot().error).toMatch(/^Unknown asset/))
      const calls = asked.mock.calls.length
      await vi.advanceTimersByTimeAsync(60_000)
      expect(asked).toHaveBeenCalledTimes(calls)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a server that is not there', () => {
  it('is asked again, and then the draft is there', async () => {
    let down = true
    const flaky = server.client({
      fetch: (input, init) => (down ? Promise.reject(new TypeError('refused')) : fetch(input, init)),
    })
    const session = new DraftSession(flaky, 'BTC')
    started.push(session)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      session.start()
      await eventually(() => expect(session.getSnapshot().error).toMatch(/cannot be reached/))
      down = false
      vi.advanceTimersByTime(3_100)
    } finally {
      vi.useRealTimers()
    }
    await eventually(() => expect(session.getSnapshot()).toMatchObject({ error: null, snapshot: { dirty: false } }))
    flaky.close()
  })

  it('keeps what is typed when saving fails, and what was saved after all is not sent again', async () => {
    let losesAnswers = false
    const lossy = server.client({
      fetch: async (input, init) => {
        const answer = await fetch(input, init)
        if (losesAnswers && init?.method === 'POST') throw new TypeError('lost')
        return answer
      },
    })
    const session = new DraftSession(lossy, 'BTC')
    started.push(session)
    session.start()
    await eventually(() => expect(session.getSnapshot().draft).not.toBeNull())
    session.getSnapshot().draft?.set(BANG, 85)
    losesAnswers = true
    expect(await session.save()).toBeNull()
    expect(session.getSnapshot().error).toMatch(/cannot be reached: lost/)
    expect(fieldOf(session, BANG)?.typed).toBe(85)
    await eventually(() => expect(fieldOf(session, BANG)?.value).toBe(85))
    expect(session.getSnapshot().snapshot).toMatchObject({ dirty: false, conflicts: [] })
    lossy.close()
  })

  it('is not asked any more after the end', async () => {
    const asked = vi.fn(fetch)
    client = server.client({ fetch: asked })
    const session = new DraftSession(client, 'BTC')
    session.start()
    session.stop()
    client.retain()
    await eventually(() => expect(client.states.assets()).toContain('BTC'))
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 85 } }, { asset: 'BTC' })
    await eventually(() => expect(client.configs.get('BTC')?.settings.state_threshold_bang).toBe(85))
    expect(asked).not.toHaveBeenCalled()
    expect(session.getSnapshot()).toMatchObject({ draft: null, error: null })
  })

  it('has its questions taken back at the end', async () => {
    const signals: AbortSignal[] = []
    client = server.client({
      fetch: (_, init) =>
        new Promise((_, reject) => {
          if (init?.signal) signals.push(init.signal)
          init?.signal?.addEventListener('abort', () => reject(new DOMException('taken back', 'AbortError')))
        }),
    })
    const session = new DraftSession(client, 'BTC')
    session.start()
    await eventually(() => expect(signals).toHaveLength(3))
    session.stop()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(session.getSnapshot().error).toBeNull()
  })
})
