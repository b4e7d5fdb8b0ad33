import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, expect, test } from 'vitest'
import {
  type ConfigSchema,
  leaves,
  VivienneProblem,
  VivienneRestClient,
  VivienneTimeout,
  VivienneUnreachable,
} from '../../src/index.js'
import { type RunningServer, sharedServer } from '../server.js'

let server: RunningServer
let rest: VivienneRestClient

beforeAll(async () => {
  server = await sharedServer()
  rest = new VivienneRestClient(`${server.url}/`, { author: 'ana' })
})
afterEach(async () => {
  for (const asset of [null, 'BTC', 'ETH']) await rest.reset({ all: true }, { asset })
})

const bang = (threshold: number) => ({ settings: { state_threshold_bang: threshold } })

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'it did not fail',
    (error: unknown) => error,
  )
}

test('a partial update is laid over what an asset sets, an update replaces it', async () => {
  await rest.partialUpdate({ settings: { position_size_bang: 3 } }, { asset: 'BTC' })
  const laid = await rest.partialUpdate(bang(85), { asset: 'BTC' })
  expect(laid.changed).toEqual([{ path: 'settings.state_threshold_bang', old: 80, new: 85 }])
  expect((await rest.active('BTC')).config.settings).toMatchObject({ position_size_bang: 3, state_threshold_bang: 85 })
  await rest.update(bang(90), { asset: 'BTC' })
  const { config, sources } = await rest.active('BTC')
  expect(config.settings).toMatchObject({ position_size_bang: 0.5, state_threshold_bang: 90 })
  expect(sources['settings.state_threshold_bang']).toEqual('asset')
  expect((await rest.active('ETH')).config.settings.state_threshold_bang).toEqual(80)
})

test.each([undefined, null])('asset %s is the layer under all assets', async (asset) => {
  const answer = await rest.partialUpdate(bang(86), asset === undefined ? {} : { asset })
  expect([answer.asset_symbol, answer.assets]).toEqual([null, ['BTC', 'ETH', 'SOL']])
  const { config, sources } = await rest.active('SOL')
  expect([config.settings.state_threshold_bang, sources['settings.state_threshold_bang']]).toEqual([86, 'global'])
  expect(await rest.active(asset)).toMatchObject({ asset_symbol: null, version: answer.version })
})

test('a pause stops one asset or all, is listed with who and why, and ends with its own resumption', async () => {
  const one = await rest.pause({ asset: 'BTC', reason: 'wrong prices' })
  expect(one).toMatchObject({ status: 'success', asset_symbol: 'BTC', assets: ['BTC'], paused: ['BTC'], changed: [] })
  const all = await rest.pause({ author: 'bo' })
  expect(all).toMatchObject({ asset_symbol: null, paused: ['BTC', 'ETH', 'SOL'] })
  expect(await rest.pauses()).toMatchObject({
    paused: ['BTC', 'ETH', 'SOL'],
    pauses: [
      { asset_symbol: null, author: 'bo', version: all.version, reason: null },
      { asset_symbol: 'BTC', author: 'ana', version: one.version, reason: 'wrong prices' },
    ],
  })
  expect((await rest.resume()).paused).toEqual(['BTC'])
  const { pauses } = await rest.pauses()
  await expect(rest.resume({ asset: 'BTC', pause: null })).rejects.toMatchObject({ code: 'version_conflict' })
  expect((await rest.resume({ asset: 'BTC', pause: pauses[0] ?? null })).paused).toEqual([])
  expect(await rest.pauses()).toEqual({ paused: [], pauses: [] })
})

test('an asset that does not exist does not become a global change', async () => {
  const problem = await failure(rest.partialUpdate(bang(86), { asset: '' }))
  expect(problem).toMatchObject({ status: 422, code: 'invalid_configuration' })
  expect((await rest.active()).config.settings.state_threshold_bang).toEqual(80)
})

test('a change on top of another version than the one in force is refused', async () => {
  const { version } = await rest.partialUpdate(bang(85), { asset: 'BTC' })
  await rest.partialUpdate(bang(86), { asset: 'BTC', expectedVersion: version })
  const problem = await failure(rest.partialUpdate(bang(87), { asset: 'BTC', expectedVersion: version }))
  expect(problem).toBeInstanceOf(VivienneProblem)
  expect(problem).toMatchObject({
    status: 412,
    code: 'version_conflict',
  })
  expect((problem as VivienneProblem).message).toEqual((problem as VivienneProblem).detail)
  expect((await rest.active('BTC')).config.settings.state_threshold_bang).toEqual(86)
})

test('a change that is repeated under its id is made once', async () => {
  const options = { asset: 'BTC', requestId: `again-${Date.now()}` }
  const first = await rest.partialUpdate(bang(85), options)
  expect(await rest.partialUpdate(bang(85), options)).toEqual(first)
  expect(await failure(rest.partialUpdate(bang(86), options))).toMatchObject({ status: 409, code: 'request_id_reused' })
})

test('changes without an id are changes of their own', async () => {
  const versions = [await rest.partialUpdate(bang(85)), await rest.partialUpdate(bang(85))].map(
    ({ version }) => version,
  )
  expect(versions[1]).toEqual((versions[0] ?? 0) + 1)
})

test('everything that is wrong comes with the refusal', async () => {
  const problem = await failure(rest.update({ ...bang(105), filters: { levels: { levels_buffer_percent: 3 } } }))
  expect((problem as VivienneProblem).errors).toEqual([
    { path: 'settings.state_threshold_bang', message: 'Bang threshold must be between 0 and 100' },
    {
      path: 'filters.levels.levels_buffer_percent',
      message: 'Levels buffer must be between 0 and 0.1 (it is a fraction: 0.3 % is 0.003)',
    },
  ])
})

test('the history says who and why', async () => {
  await rest.partialUpdate(bang(85), { asset: 'BTC', reason: 'fewer, better entries' })
  await rest.partialUpdate(bang(86), { asset: 'BTC', author: 'bo', reason: '' })
  const { history, next } = await rest.history({ asset: 'BTC', limit: 2 })
  expect(history.map(({ author, reason, channel }) => [author, reason, channel])).toEqual([
    ['bo', null, 'rest'],
    ['ana', 'fewer, better entries', 'rest'],
  ])
  const older = await rest.history({ asset: 'BTC', limit: 1, before: next })
  expect(older.history[0]?.version).toBeLessThan(history[1]?.version ?? 0)
  const found = await rest.history({ asset: 'BTC', own: true, limit: 5, reason: 'better', field: 'settings' })
  expect(found.history.map(({ version }) => version)).toEqual([history[1]?.version])
})

test('several assets are changed as one change, or get what another one sets', async () => {
  await rest.several(['BTC', 'ETH'], { config: bang(88) }, { reason: 'both' })
  expect((await rest.history({ limit: 2 })).history.map(({ reason }) => reason)).toEqual(['both', 'both'])
  await rest.partialUpdate(bang(91), { asset: 'BTC' })
  const { assets } = await rest.several(['ETH'], { copy_from: 'BTC' })
  expect([assets, (await rest.active('ETH')).config.settings.state_threshold_bang]).toEqual([['ETH'], 91])
})

test('an author may be asked for at each change; no name is nobody', async () => {
  const names = ['cleo', '']
  const asking = new VivienneRestClient(server.url, { author: () => names.shift() ?? '' })
  await asking.partialUpdate(bang(85))
  await asking.partialUpdate(bang(86))
  const { history } = await rest.history({ limit: 2 })
  expect(history.map(({ author }) => author)).toEqual(['anonymous', 'cleo'])
})

test('a former configuration can be put in force again, and one be removed', async () => {
  const first = await rest.partialUpdate(bang(85), { asset: 'BTC' })
  const second = await rest.partialUpdate(bang(86), { asset: 'BTC' })
  await rest.activate(first.config_id, { asset: 'BTC', reason: 'as it was', expectedVersion: second.version })
  expect((await rest.active('BTC')).config.settings.state_threshold_bang).toEqual(85)
  const ids = async () => (await rest.all({ asset: 'BTC', limit: 3 })).configurations.map(({ config_id }) => config_id)
  expect(await ids()).toContain(second.config_id)
  await rest.remove(second.config_id, { reason: 'a mistake' })
  expect(await ids()).not.toContain(second.config_id)
  expect((await rest.history({ limit: 1 })).history[0]).toMatchObject({
    action: 'delete',
    reason: 'a mistake',
    author: 'ana',
  })
  expect(await failure(rest.activate('no/such id'))).toMatchObject({ status: 404 })
})

test('values can be given back, one by one or all', async () => {
  await rest.update({ settings: { state_threshold_bang: 85, position_size_bang: 3 } }, { asset: 'BTC' })
  await rest.reset({ paths: ['settings.position_size_bang'] }, { asset: 'BTC' })
  expect((await rest.active('BTC')).config.settings).toMatchObject({
    position_size_bang: 0.5,
    state_threshold_bang: 85,
  })
  const { changed } = await rest.reset({ all: true }, { asset: 'BTC' })
  expect(changed).toEqual([{ path: 'settings.state_threshold_bang', old: 85, new: 80 }])
})

test('validating changes nothing and says what would be', async () => {
  await rest.update({ settings: { position_size_bang: 3 } }, { asset: 'BTC' })
  const { version } = await rest.active('BTC')
  const partial = await rest.validate(bang(85), { asset: 'BTC', expectedVersion: version })
  expect(partial.changed?.map(({ path }) => path)).toEqual(['settings.state_threshold_bang'])
  const full = await rest.validate(bang(85), { asset: 'BTC', partial: false })
  expect(full.changed?.map(({ path }) => path)).toEqual([
    'settings.state_threshold_bang',
    'settings.position_size_bang',
  ])
  expect(await rest.validate(bang(105))).toEqual({
    valid: false,
    errors: [{ path: 'settings.state_threshold_bang', message: 'Bang threshold must be between 0 and 100' }],
    warnings: [],
  })
  expect((await rest.active('BTC')).version).toEqual(version)
})

test('assets, bars and schema are there to be drawn', async () => {
  const { assets } = await rest.assets(5)
  expect(assets.map(({ asset, closes }) => [asset, closes.length])).toEqual([
    ['BTC', 5],
    ['ETH', 5],
    ['SOL', 5],
  ])
  const { asset, bars } = await rest.bars('BTC', 7)
  expect([asset, bars.length]).toEqual(['BTC', 7])
  const schema: ConfigSchema = await rest.schema()
  expect(Object.keys(schema.properties)).toEqual(['description', ...Object.keys((await rest.active()).config)])
})

test('a preview says what a change would have made of the last bars', async () => {
  const never = { signal_weights: { ema_cross: 0, macd: 0, rsi: 0.001, bb_bounce: 0, bb_breakout: 0 } }
  const own = await rest.preview('BTC', never, { bars: 50 })
  expect([own.valid, own.asset, own.bars]).toEqual([true, 'BTC', 50])
  await rest.update(bang(95), { asset: 'BTC' })
  const changed = [{ path: 'settings.state_threshold_bang', old: 95, new: 85 }]
  expect((await rest.preview('BTC', bang(85))).changed).toEqual(changed)
  const hidden = await rest.preview('BTC', bang(85), { layer: null, bars: 50 })
  expect([hidden.valid, hidden.different]).toEqual([true, []])
  expect((await rest.preview('BTC', bang(105))).errors.map(({ path }) => path)).toEqual([
    'settings.state_threshold_bang',
  ])
})

test('what is in force is complete', async () => {
  const { config, sources } = await rest.active('BTC')
  expect(Object.keys(leaves(config)).sort()).toEqual(Object.keys(sources).sort())
})

test('a server that is not there cannot be reached, and the id to ask again is known', async () => {
  const nowhere = new VivienneRestClient('http://127.0.0.1:9')
  const error = await failure(nowhere.partialUpdate(bang(85), { requestId: 'x' }))
  expect(error).toBeInstanceOf(VivienneUnreachable)
  expect(error).toMatchObject({ requestId: 'x' })
  expect((error as Error).message).toMatch(/^http:\/\/127\.0\.0\.1:9\/.*\/partial-update cannot be reached: /)
})

/** A client of a server that answers like this. */
function answering(answer: (init: RequestInit) => Response | Promise<Response>, timeout = 10_000): VivienneRestClient {
  return new VivienneRestClient('', { timeout, fetch: async (_, init) => answer(init ?? {}) })
}

test('a server that does not answer is not waited for forever', async () => {
  const never = (init: RequestInit) =>
    new Promise<Response>((_, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  const error = await failure(answering(never, 10).update(bang(85), { requestId: 'x' }))
  expect(error).toBeInstanceOf(VivienneTimeout)
  expect(error).toMatchObject({
    message: '/phoenix/config/vivienne/comprehensive/update did not answer within 0.01 s',
    requestId: 'x',
  })
})

test('who takes the question back gets their own reason', async () => {
  const abort = new AbortController()
  const asked = failure(rest.active('BTC', abort.signal))
  abort.abort(new Error('never mind'))
  expect(await asked).toEqual(new Error('never mind'))
  expect(await failure(rest.active('BTC', abort.signal))).toEqual(new Error('never mind'))
})

test.each([
  ['an error page of a proxy', new Response('<html>Bad Gateway', { status: 502, statusText: 'Bad Gateway' }), 502],
  ['a page in place of an answer', new Response('<html>Welcome', { status: 200, statusText: 'OK' }), 200],
  ['an answer that breaks off', new Response('{"status": "succ', { status: 200 }), 200],
  ['an error in the JSON of somebody else', new Response('{"code": "no"}', { status: 403 }), 403],
  ['an error that is no object', new Response('null', { status: 500 }), 500],
])('%s is a problem with a sentence', async (_, response, status) => {
  const error = await failure(answering(() => response).active())
  expect(error).toBeInstanceOf(VivienneProblem)
  expect(error).toMatchObject({ status, code: 'not_vivienne', errors: [] })
  expect((error as Error).message).toMatch(/^\/phoenix\/.*\/active answered \d{3}.*, not as Vivienne; a proxy\?$/)
})

test.each(['{}', 'null', '"ok"', '{"paused":[],"pauses":[]}', '{"status":"ok"}'])(
  'the answer %s of somebody else does not pass for a pause',
  async (text) => {
    const client = answering(() => new Response(text, { status: 200 }))
    expect(await failure(client.pause())).toMatchObject({ code: 'not_vivienne' })
    expect(await failure(client.undo('config_1'))).toMatchObject({ code: 'not_vivienne' })
  },
)

test('a pause that is redirected is not taken for one that was made', async () => {
  const front = createServer((request, response) => {
    response.writeHead(301, { Location: `${server.url}${request.url}` }).end()
  })
  await once(front.listen(0, '127.0.0.1'), 'listening')
  const redirected = new VivienneRestClient(`http://127.0.0.1:${(front.address() as AddressInfo).port}`)
  const error = await failure(redirected.pause())
  expect(error).toMatchObject({ status: 301, code: 'not_vivienne' })
  expect((await redirected.pauses()).paused).toEqual([])
  front.closeAllConnections()
  front.close()
})

test('requests say what they are', async () => {
  const seen: RequestInit[] = []
  const client = answering((init) => {
    seen.push(init)
    return new Response('{"version": 1}')
  })
  await client.partialUpdate(bang(85), {
    asset: 'BTC',
    requestId: 'x',
    expectedVersion: 0,
    author: 'bo',
    reason: 'why',
  })
  await client.active()
  expect(
    seen.map(({ method, headers, body }) => ({ method, headers, body: body && JSON.parse(body as string) })),
  ).toEqual([
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: { ...bang(85), asset_symbol: 'BTC', author: 'bo', reason: 'why', expected_version: 0, request_id: 'x' },
    },
    { method: 'GET', headers: undefined, body: undefined },
  ])
})
