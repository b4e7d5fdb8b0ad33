// @vitest-environment happy-dom
import { act, cleanup, renderHook } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { VivienneClient } from '../../src/index.js'
import { VivienneProblem } from '../../src/index.js'
import {
  useAssets,
  useConfigHistory,
  useConnection,
  useVivienneConfig,
  useVivienneLogs,
  useVivienneState,
} from '../../src/react/index.js'
import { eventually, LiveServer } from '../draft/live.js'
import { clientOnPage, resetAll } from './live_page.js'
import { provided } from './offline.js'

let server: LiveServer
let client: VivienneClient
/** Somebody else. */
let other: VivienneClient

beforeAll(async () => {
  server = await LiveServer.start()
})
beforeEach(async () => {
  client = clientOnPage(server)
  other = clientOnPage(server)
  await resetAll(other)
})
afterEach(() => {
  cleanup()
  client.close()
  other.close()
})

const shown = <T,>(hook: () => T) => renderHook(hook, { wrapper: provided(client), reactStrictMode: true }).result

describe('with a server', () => {
  it('the assets, their states and the connection are there, and prices move', async () => {
    const result = shown(() => ({
      assets: useAssets(),
      connection: useConnection(),
      price: useVivienneState('BTC', (state) => state?.agents.VivienneAgent?.data.price),
    }))
    await eventually(() => expect([...result.current.assets].sort()).toEqual(['BTC', 'ETH', 'SOL']))
    expect(result.current.connection.state).toBe('live')
    const { price } = result.current
    await eventually(() => expect(result.current.price).not.toBe(price))
  })

  it('an update comes back over the WebSocket', async () => {
    const result = shown(() => useVivienneConfig('BTC'))
    await eventually(() => expect(result.current.config?.settings.state_threshold_bang).toBe(80))
    const before = result.current.config
    const answer = await act(() => result.current.updatePartialConfig({ settings: { state_threshold_bang: 85 } }))
    expect(answer).toMatchObject({ status: 'success', asset_symbol: 'BTC', changed: [{ old: 80, new: 85 }] })
    await eventually(() => expect(result.current.config?.settings.state_threshold_bang).toBe(85))
    expect(result.current).toMatchObject({ loading: false, error: null })
    expect(result.current.config?.filters).toBe(before?.filters)
  })

  it('the configuration in force can be sent back as it is, and replaces what the asset sets', async () => {
    await other.rest.partialUpdate({ settings: { state_threshold_aim: 72 } }, { asset: 'BTC' })
    const result = shown(() => useVivienneConfig('BTC'))
    await eventually(() => expect(result.current.config).not.toBeNull())
    const config = { ...result.current.config, settings: { state_threshold_bang: 88 } }
    await act(() => result.current.updateConfig(config))
    await eventually(() => expect(result.current.config?.settings.state_threshold_bang).toBe(88))
    expect((await other.rest.active('BTC')).sources['signals.rsi_full']).toBe('asset')
    expect((await other.rest.active('BTC')).sources['settings.state_threshold_aim']).toBe('default')
  })

  it('a refused update rejects, and its sentence is the error until the next update', async () => {
    const result = shown(() => useVivienneConfig('BTC'))
    await eventually(() => expect(result.current.config).not.toBeNull())
    const before = result.current.config
    const refused = await act(() =>
      result.current.updatePartialConfig({ settings: { state_threshold_bang: 105 } }).catch((error) => error),
    )
    expect(refused).toBeInstanceOf(VivienneProblem)
    expect(result.current.error).toBe(refused.message)
    expect(result.current.error).toMatch(/Bang threshold must be between 0 and 100/)
    expect(result.current).toMatchObject({ loading: false, config: before })
    await act(() => result.current.updatePartialConfig({ settings: { state_threshold_bang: 85 } }))
    expect(result.current.error).toBeNull()
  })

  it('a change that somebody else makes is seen', async () => {
    const result = shown(() => useVivienneConfig('ETH'))
    await eventually(() => expect(result.current.config).not.toBeNull())
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 91 } })
    await eventually(() => expect(result.current.config?.settings.state_threshold_bang).toBe(91))
  })

  it('the history grows with every change, and tells layers apart', async () => {
    const result = shown(() => ({
      everything: useConfigHistory(undefined, 3),
      global: useConfigHistory(null, 2),
      btc: useConfigHistory('btc', 2),
    }))
    await eventually(() => expect(result.current.btc.entries).toHaveLength(2))
    await other.rest.partialUpdate({ settings: { state_threshold_aim: 71 } }, { author: 'ana' })
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 85 } }, { asset: 'BTC', author: 'bea' })
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 86 } }, { asset: 'ETH', author: 'cem' })
    const authors = (of: { entries: readonly { author: string }[] }) => of.entries.map(({ author }) => author)
    await eventually(() => expect(authors(result.current.everything)).toEqual(['cem', 'bea', 'ana']))
    await eventually(() => expect(authors(result.current.btc)).toEqual(['bea', 'ana']))
    await eventually(() => expect(authors(result.current.global)).toEqual(['ana', 'anonymous']))
    expect(result.current.global.entries.every(({ asset_symbol }) => asset_symbol === null)).toBe(true)
    await eventually(() => expect(result.current.everything).toMatchObject({ loading: false, error: null }))
  })

  it('more of the history can be shown without losing what is shown', async () => {
    const lengths: number[] = []
    const { result, rerender } = renderHook(
      ({ limit }) => {
        const { entries } = useConfigHistory(undefined, limit)
        lengths.push(entries.length)
        return entries
      },
      { wrapper: provided(client), initialProps: { limit: 2 } },
    )
    await eventually(() => expect(result.current).toHaveLength(2))
    lengths.length = 0
    rerender({ limit: 3 })
    await eventually(() => expect(result.current).toHaveLength(3))
    expect(new Set(lengths)).toEqual(new Set([2, 3]))
  })

  it('says what is wrong when there is no history to show', async () => {
    const result = shown(() => useConfigHistory('DOGE'))
    expect(result.current).toMatchObject({ entries: [], loading: true, error: null })
    await eventually(() => expect(result.current.error).toMatch(/^Unknown asset 'DOGE'/))
    expect(result.current.loading).toBe(false)
  })

  it('the log tells of a change', async () => {
    const result = shown(() => useVivienneLogs())
    await eventually(() => expect(result.current.records.length).toBeGreaterThan(0))
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 87.5 } }, { asset: 'BTC', author: 'dora' })
    await eventually(() => expect(result.current.records.at(-1)?.message).toMatch(/by dora/))
  })
})
