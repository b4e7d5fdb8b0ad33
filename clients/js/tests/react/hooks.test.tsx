// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, renderHook, screen } from '@testing-library/react'
import { StrictMode, useEffect, useState } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AssetData, type Configuration, createVivienneClient, type VivienneClient } from '../../src/index.js'
import {
  useAssets,
  useConfigCache,
  useConfigDraft,
  useConfigHistory,
  useConnection,
  useRealTimeValidation,
  useVivienneClient,
  useVivienneConfig,
  useVivienneLogs,
  useVivienneState,
  useWebSocketConnection,
  VivienneProvider,
} from '../../src/react/index.js'
import { countListeners, defaults, offlineClient, provided, state, TestSocket } from './offline.js'

let client: VivienneClient

beforeEach(() => {
  vi.useFakeTimers()
  client = offlineClient()
})

afterEach(() => {
  cleanup()
  client.close()
  vi.useRealTimers()
})

const push = (...states: AssetData[]) =>
  act(() => {
    for (const each of states) TestSocket.newest.push(each)
  })
const opened = () => act(() => TestSocket.newest.open())
const priceOf = (of: AssetData | undefined) => of?.agents.VivienneAgent?.data.price

/** How often each of these was rendered. */
const renders = { price: 0, version: 0, eth: 0, assets: 0, config: 0 }

function Price() {
  renders.price++
  return <b>{useVivienneState('BTC', priceOf)}</b>
}

function Version() {
  renders.version++
  return <i>{useVivienneState('BTC', (of) => of?.config_version)}</i>
}

function Eth() {
  renders.eth++
  return <u>{useVivienneState('ETH', priceOf)}</u>
}

function Assets() {
  renders.assets++
  return <p>{useAssets().join()}</p>
}

function Bang() {
  renders.config++
  return <p>{useVivienneConfig('BTC').config?.settings.state_threshold_bang}</p>
}

function Selected() {
  return <b>{useVivienneState('BTC', (of) => ({ price: priceOf(of) })).price}</b>
}

/** Something that is told of a state before its neighbours listen. */
function Early() {
  const { states } = useVivienneClient()
  useEffect(() => states.receive(state('BTC', 7)), [states])
  return null
}

/** All hooks that hold something. */
function Everything() {
  useVivienneState('BTC')
  useAssets()
  useConnection()
  useVivienneConfig()
  useConfigHistory('BTC')
  useConfigDraft('BTC')
  useConfigCache().getCachedConfig('BTC')
  useVivienneLogs()
  useWebSocketConnection('ws://vivienne.test/ws/state', { WebSocket: TestSocket as never })
  return null
}

/** The form of the guide: what is in force is copied when it is another. */
function CopyingForm() {
  const { config } = useVivienneConfig('BTC')
  const [data, setData] = useState<Configuration | null>(null)
  useEffect(() => setData(config), [config])
  return (
    <input
      aria-label="Bang"
      value={data?.settings.state_threshold_bang ?? ''}
      onChange={({ target }) =>
        setData(data && { ...data, settings: { ...data.settings, state_threshold_bang: Number(target.value) } })
      }
    />
  )
}

describe('useVivienneState', () => {
  it('gives the newest state of the asset, named in any case', () => {
    const { result } = renderHook(() => useVivienneState('btc'), { wrapper: provided(client) })
    expect(result.current).toBeUndefined()
    opened()
    push(state('BTC', 1), state('BTC', 2), state('ETH', 9))
    expect(priceOf(result.current)).toBe(2)
  })

  it('renders only those who read what a tick changed', () => {
    Object.assign(renders, { price: 0, version: 0, eth: 0, assets: 0, config: 0 })
    render([<Price key="1" />, <Version key="2" />, <Eth key="3" />, <Assets key="4" />, <Bang key="5" />], {
      wrapper: provided(client),
    })
    opened()
    push(state('BTC', 1), state('ETH', 1))
    const before = { ...renders }
    for (let tick = 2; tick <= 21; tick++) push(state('BTC', tick))
    expect(renders).toEqual({ ...before, price: before.price + 20 })
  })

  it('keeps a selected object that says the same, also when the component renders for another reason', () => {
    const { result, rerender } = renderHook(
      () =>
        useVivienneState(
          'BTC',
          (of) => ({ asset: of?.asset }),
          (one, other) => one.asset === other.asset,
        ),
      { wrapper: provided(client) },
    )
    opened()
    push(state('BTC', 1))
    const before = result.current
    push(state('BTC', 2))
    rerender()
    push(state('BTC', 3))
    expect(result.current).toBe(before)
    expect(before).toEqual({ asset: 'BTC' })
  })

  it('takes a selector that makes a new object each time', () => {
    const { result } = renderHook(() => useVivienneState('BTC', (of) => ({ price: priceOf(of) })), {
      wrapper: provided(client),
    })
    opened()
    push(state('BTC', 1))
    expect(result.current).toEqual({ price: 1 })
  })

  it('takes over a page that was rendered on a server without a word', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const page = (
      <VivienneProvider client={client}>
        <Selected />
      </VivienneProvider>
    )
    const container = document.createElement('div')
    container.innerHTML = renderToString(page)
    render(page, { container: document.body.appendChild(container), hydrate: true })
    opened()
    push(state('BTC', 4))
    expect(container.textContent).toBe('4')
    expect(error).not.toHaveBeenCalled()
    error.mockRestore()
  })

  it('goes over to another asset and another selector at once', () => {
    const { result, rerender } = renderHook(
      ({ asset, factor }) => useVivienneState(asset, (of) => (priceOf(of) ?? 0) * factor),
      {
        wrapper: provided(client),
        initialProps: { asset: 'BTC', factor: 1 },
      },
    )
    opened()
    push(state('BTC', 2), state('ETH', 3))
    rerender({ asset: 'ETH', factor: 1 })
    expect(result.current).toBe(3)
    rerender({ asset: 'ETH', factor: 10 })
    expect(result.current).toBe(30)
  })

  it('does not lose a state that arrives between the render and its effects', () => {
    // Effects run in the order of the tree, so the state arrives before the price listens.
    render([<Early key="1" />, <Price key="2" />], { wrapper: provided(client) })
    expect(screen.getByText('7')).toBeTruthy()
  })
})

describe('useAssets', () => {
  it('gives the same list until there is another asset', () => {
    const { result } = renderHook(() => useAssets(), { wrapper: provided(client) })
    opened()
    push(state('BTC', 1), state('ETH', 1))
    const before = result.current
    push(state('BTC', 2))
    expect(result.current).toBe(before)
    push(state('SOL', 1))
    expect(result.current).toEqual(['BTC', 'ETH', 'SOL'])
  })
})

describe('the connection', () => {
  it('is opened once, also in strict mode and by many components', () => {
    render(
      <StrictMode>
        <VivienneProvider client={client}>
          <Everything />
          <Everything />
        </VivienneProvider>
      </StrictMode>,
    )
    act(() => vi.advanceTimersByTime(5_000))
    // That of the client, that of the log, and one of its own for each useWebSocketConnection.
    const { length } = TestSocket.all.filter(({ readyState }) => readyState === 0)
    expect([length, TestSocket.all.length]).toEqual([5, 5])
  })

  it('is kept from one page to the next, and ends a second after the last component is gone', () => {
    const first = renderHook(() => useConnection(), { wrapper: provided(client) })
    first.unmount()
    vi.advanceTimersByTime(900)
    const second = renderHook(() => useConnection(), { wrapper: provided(client) })
    vi.advanceTimersByTime(5_000)
    expect(TestSocket.newest.readyState).toBe(0)
    opened()
    second.unmount()
    vi.advanceTimersByTime(1_100)
    expect(TestSocket.all.map(({ readyState }) => readyState)).toEqual([3])
  })

  it('says how it is, and why', () => {
    const { result } = renderHook(() => useConnection(), { wrapper: provided(client) })
    expect(result.current.state).toBe('connecting')
    opened()
    push(state('BTC', 1))
    expect(result.current.state).toBe('live')
    act(() => TestSocket.newest.close(1006))
    expect(result.current).toMatchObject({ state: 'offline', reconnectAttempts: 1 })
    expect(result.current.reason).toMatch(/1006/)
  })

  it('leaves nothing behind when everything is gone', async () => {
    const listening = countListeners(client)
    const { unmount } = render(<Everything />, { wrapper: provided(client), reactStrictMode: true })
    await act(() => vi.advanceTimersByTimeAsync(10))
    expect(listening()).toBeGreaterThan(5)
    unmount()
    await vi.advanceTimersByTimeAsync(1_100)
    expect(listening()).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
    // One that is still opening is closed as soon as it is open.
    for (const socket of TestSocket.all) if (socket.readyState === 0) socket.open()
    expect(TestSocket.all.filter(({ readyState }) => readyState !== 3)).toEqual([])
  })

  it('without a provider is that of one client, which all components share', () => {
    const one = renderHook(() => useVivienneClient())
    const other = renderHook(() => useVivienneClient())
    expect(one.result.current).toBe(other.result.current)
    expect(one.result.current.baseUrl).toBe('http://localhost:8000')
  })
})

describe('useVivienneConfig', () => {
  it('has exactly what the guide says', () => {
    const { result } = renderHook(() => useVivienneConfig(), { wrapper: provided(client) })
    expect(Object.keys(result.current).sort()).toEqual([
      'config',
      'error',
      'loading',
      'updateConfig',
      'updatePartialConfig',
    ])
    expect(result.current).toMatchObject({ config: null, loading: false, error: null })
  })

  it('gives the configuration in force, the same object while it says the same', () => {
    const { result } = renderHook(() => useVivienneConfig('btc'), { wrapper: provided(client) })
    opened()
    push(state('BTC', 1))
    const before = result.current.config
    expect(before).toEqual(defaults)
    for (let tick = 0; tick < 100; tick++) push(state('BTC', tick))
    expect(result.current.config).toBe(before)
    push(state('BTC', 2, { settings: { state_threshold_bang: 85 } }, 2))
    expect(result.current.config?.settings.state_threshold_bang).toBe(85)
    expect(result.current.config?.filters).toBe(before?.filters)
  })

  it('lets a form that copies it keep what is typed while prices tick', () => {
    render(<CopyingForm />, { wrapper: provided(client) })
    opened()
    push(state('BTC', 1))
    const input = screen.getByLabelText<HTMLInputElement>('Bang')
    expect(input.value).toBe('80')
    fireEvent.change(input, { target: { value: '83' } })
    for (let tick = 0; tick < 50; tick++) push(state('BTC', tick))
    expect(input.value).toBe('83')
  })

  it('keeps the last configuration while there is no connection, without an error', () => {
    const { result } = renderHook(() => useVivienneConfig(), { wrapper: provided(client) })
    opened()
    push(state('BTC', 1))
    act(() => TestSocket.newest.close(1006))
    expect(result.current).toMatchObject({ config: defaults, error: null })
  })

  it('says why there is none as long as there is none', () => {
    const { result } = renderHook(() => useVivienneConfig(), { wrapper: provided(client) })
    act(() => TestSocket.newest.close(1006))
    expect(result.current.error).toMatch(/^WebSocket connection failed: .*1006/)
    act(() => vi.advanceTimersByTime(1_000))
    opened()
    push(state('BTC', 1))
    expect(result.current.error).toBeNull()
  })

  it('says when the server could not be reached with an update, and rejects', async () => {
    const { result } = renderHook(() => useVivienneConfig(), { wrapper: provided(client) })
    let outcome: Promise<unknown> = Promise.resolve()
    act(() => {
      outcome = result.current.updatePartialConfig({ settings: { state_threshold_bang: 85 } })
      outcome.catch(() => {})
    })
    expect(result.current.loading).toBe(true)
    await act(async () => expect(outcome).rejects.toThrow(/cannot be reached/))
    expect(result.current.loading).toBe(false)
    expect(result.current.error).toMatch(/cannot be reached/)
  })

  it('does not tell of a failure for another asset', async () => {
    const { result, rerender } = renderHook(({ asset }) => useVivienneConfig(asset), {
      wrapper: provided(client),
      initialProps: { asset: 'BTC' },
    })
    const outcome = act(async () => void (await result.current.updateConfig(defaults).catch(() => {})))
    rerender({ asset: 'ETH' })
    await outcome
    expect(result.current).toMatchObject({ loading: false, error: null })
  })
})

describe('several updates at once', () => {
  /** What becomes of each request, in order. */
  let answers: { resolve: (answer: Response) => void; reject: (error: Error) => void }[]
  let slow: VivienneClient

  beforeEach(() => {
    answers = []
    slow = createVivienneClient({
      WebSocket: TestSocket as never,
      fetch: () => new Promise((resolve, reject) => answers.push({ resolve, reject })),
    })
  })
  afterEach(() => slow.close())

  it('are loading until the last one is answered', async () => {
    const { result } = renderHook(() => useVivienneConfig(), { wrapper: provided(slow) })
    act(() => {
      for (const aim of [71, 72]) void result.current.updatePartialConfig({ settings: { state_threshold_aim: aim } })
    })
    await act(async () => answers[1]?.resolve(Response.json({ version: 1 })))
    expect(result.current.loading).toBe(true)
    await act(async () => answers[0]?.resolve(Response.json({ version: 1 })))
    expect(result.current.loading).toBe(false)
  })

  it('of one asset after another do not tell of each other', async () => {
    const { result, rerender } = renderHook(({ asset }) => useVivienneConfig(asset), {
      wrapper: provided(slow),
      initialProps: { asset: 'BTC' },
    })
    const begin = () => act(() => void result.current.updateConfig(defaults).catch(() => {}))
    begin()
    rerender({ asset: 'ETH' })
    begin()
    await act(async () => answers[0]?.reject(new TypeError('lost')))
    expect(result.current).toMatchObject({ loading: true, error: null })
    await act(async () => answers[1]?.reject(new TypeError('lost too')))
    expect(result.current).toMatchObject({ loading: false, error: expect.stringMatching(/lost too/) })
  })
})

describe('useConfigCache', () => {
  it('gives the last configuration known, and is told of another one', () => {
    const { result } = renderHook(() => useConfigCache(), { wrapper: provided(client) })
    expect(result.current.getCachedConfig('btc')).toBeUndefined()
    const before = result.current
    act(() => result.current.setCachedConfig('BTC', defaults))
    expect(result.current.getCachedConfig('BTC')).toBe(defaults)
    expect(result.current.getCachedConfig).not.toBe(before.getCachedConfig)
    expect(result.current.setCachedConfig).toBe(before.setCachedConfig)
  })

  it('does not render for assets nobody asked for', () => {
    let renders = 0
    renderHook(() => useConfigCache().getCachedConfig(`BTC${renders++ && ''}`), { wrapper: provided(client) })
    const before = renders
    act(() => client.configs.set('ETH', defaults))
    expect(renders).toBe(before)
    act(() => client.configs.set('BTC0', defaults))
    expect(renders).toBe(before + 1)
  })

  it('does not make the configuration in force another one', () => {
    const { result } = renderHook(() => ({ ...useVivienneConfig(), ...useConfigCache() }), {
      wrapper: provided(client),
    })
    opened()
    push(state('BTC', 1))
    act(() => result.current.setCachedConfig('BTC', { ...defaults, description: 'mine' }))
    expect(result.current.config).toEqual(defaults)
  })
})

describe('useRealTimeValidation', () => {
  it('says what is wrong in the sentences of the server, at once', () => {
    const { result, rerender } = renderHook(({ config }) => useRealTimeValidation(config), {
      initialProps: { config: { settings: { state_threshold_bang: 105 } } as object | null },
    })
    expect(result.current).toEqual(['Bang threshold must be between 0 and 100'])
    rerender({ config: { settings: { state_threshold_bang: 95 } } })
    expect(result.current).toEqual([])
    rerender({ config: null })
    expect(result.current).toEqual([])
  })
})

describe('useWebSocketConnection', () => {
  it('is connected while the socket is open, and reconnects by itself', () => {
    const { result } = renderHook(
      () => useWebSocketConnection('ws://vivienne.test/ws/logs', { WebSocket: TestSocket as never }),
      {
        reactStrictMode: true,
      },
    )
    expect(TestSocket.all).toHaveLength(1)
    expect(result.current).toMatchObject({ isConnected: false, ws: TestSocket.newest })
    opened()
    expect(result.current.isConnected).toBe(true)
    act(() => TestSocket.newest.close(1006))
    expect(result.current).toMatchObject({ isConnected: false, ws: null })
    act(() => vi.advanceTimersByTime(1_000))
    opened()
    expect(result.current).toMatchObject({ isConnected: true, ws: TestSocket.all[1] })
  })

  it('gets whole states, for those who listen to its socket', () => {
    renderHook(() => useWebSocketConnection('ws://vivienne.test/ws/state', { WebSocket: TestSocket as never }))
    opened()
    expect(TestSocket.newest.sent.join()).not.toContain('changes')
  })

  it('is ended and made by hand', () => {
    const options = { WebSocket: TestSocket as never }
    const { result } = renderHook(() => useWebSocketConnection('ws://vivienne.test/ws/state', options))
    opened()
    act(() => result.current.disconnect())
    expect(TestSocket.newest.readyState).toBe(3)
    act(() => vi.advanceTimersByTime(60_000))
    expect(TestSocket.all).toHaveLength(1)
    act(() => result.current.connect())
    expect(TestSocket.all).toHaveLength(2)
  })
})

describe('useVivienneLogs', () => {
  it('follows the log of a level while it is enabled, and keeps what it has', () => {
    const { result, rerender } = renderHook(({ enabled }) => useVivienneLogs({ level: 'warning', enabled }), {
      wrapper: provided(client),
      initialProps: { enabled: true },
      reactStrictMode: true,
    })
    const sockets = () => TestSocket.all.filter(({ url }) => url === 'ws://vivienne.test/ws/logs?level=warning')
    expect(sockets()).toHaveLength(1)
    // Silence of a log says nothing: that the server is gone shows in the stream of states.
    expect(TestSocket.all.map(({ url }) => url)).toContain('ws://vivienne.test/ws/state')
    act(() => {
      sockets()[0]?.open()
      sockets()[0]?.push({ type: 'log', timestamp: 't', level: 'WARNING', logger: 'a', message: 'one' })
      vi.advanceTimersByTime(200)
    })
    expect(result.current.records.map(({ message }) => message)).toEqual(['one'])
    rerender({ enabled: false })
    return act(async () => {
      await null
      expect(sockets()[0]?.readyState).toBe(3)
      expect(result.current.records).toHaveLength(1)
      result.current.clear()
    }).then(() => expect(result.current.records).toEqual([]))
  })
})
