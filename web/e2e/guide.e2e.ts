import type { Configuration } from 'vivienne-client'
import { guideCode, guideExample, guideIsHere, servePage } from './guide.ts'
import type { RunningServer } from './server.ts'
import { expect, type Page, test } from './test.ts'
import { REFUSED, SERVER_GONE } from './watch.ts'

/** Just enough of it for the guide. */
const LODASH = `export const debounce = (call, wait) => {
  let timer
  return (...values) => {
    clearTimeout(timer)
    timer = setTimeout(() => call(...values), wait)
  }
}`

/** The guide's code, completed by what its blocks leave out: imports and exports. */
function guideFiles(server: RunningServer): Record<string, string> {
  const code = (heading: string) => guideExample(heading, server.port)
  return {
    'lodash.js': LODASH,
    'useVivienneConfig.js': `${code('Example 1: React Hook for Vivienne Configuration')}\nexport { useVivienneConfig }`,
    'VivienneConfigForm.jsx': `import { useEffect } from 'react'\n${code('Example 2: Configuration Form Component')}\nexport { VivienneConfigForm }`,
    'VivienneConfigMonitor.jsx': `import { useState, useEffect } from 'react'\n${code('Example 3: Real-time Configuration Monitor')}\nexport { VivienneConfigMonitor }`,
    'VivienneWebSocketManager.js': `${code('Connection Management')}\nexport { VivienneWebSocketManager }`,
  }
}

/** Files of a page that shows one component. */
function shows(component: string, imports: string): string {
  return `import { createRoot } from 'react-dom/client'\n${imports}\ncreateRoot(document.getElementById('root')).render(${component})`
}

test.describe("the guide's examples, on a page from another origin", () => {
  test.skip(!guideIsHere, 'the guide is not on this machine (VIVIENNE_TEST_DATA names the folder with spec/ in it)')

  let close = async () => {}
  test.afterEach(() => close())

  async function open(page: Page, server: RunningServer, files: Record<string, string>): Promise<string> {
    const served = await servePage({ ...guideFiles(server), ...files }, server.url)
    close = served.close
    await page.goto(served.url)
    return served.url
  }

  test.beforeEach(({ watch }) => {
    // Its examples print what they do.
    watch.allow(/^log: /)
    for (let port = 5173; port < 5183; port++) watch.allowOrigin(`http://localhost:${port}`)
  })

  test('the form shows what is in force, and an edit and Submit change the next state', async ({
    page,
    server,
    stream,
  }) => {
    // In steps of a tenth: the form asks for them, and browsers do not submit it otherwise.
    await server.change({ settings: { position_size_bang: 0.7 }, signal_weights: { ema_cross: 0.8, macd: 0.7 } }, 'BTC')
    const main = shows('<VivienneConfigForm />', "import { VivienneConfigForm } from './VivienneConfigForm'")
    await open(page, server, { 'main.jsx': main })

    const bang = page.getByLabel('Bang Threshold:')
    await expect(bang).toHaveValue('80')
    await expect(page.getByLabel('Position Size (Bang):')).toHaveValue('0.7')
    await expect(page.getByLabel('Enable Bollinger Filter')).toBeChecked()
    await expect(page.getByLabel('Volatility Squeeze Threshold:')).toHaveValue('0.015')
    await expect(page.getByLabel('ema_cross:')).toHaveValue('0.8')

    await bang.fill('85')
    await stream.until('BTC', ({ agents }) => agents.VivienneAgent?.config.settings.state_threshold_bang === 85)
    await expect(bang).toHaveValue('85')
    const before = (await server.lastChange()).version

    const said = page.waitForEvent('dialog')
    const submit = page.getByRole('button', { name: 'Update Configuration' }).click()
    const dialog = await said
    expect(dialog.message()).toBe('Configuration updated successfully!')
    await dialog.accept()
    await submit
    const state = await stream.until('BTC', ({ config_version }) => config_version > before)
    expect(state.agents.VivienneAgent?.config.settings.state_threshold_bang).toBe(85)
    expect(await server.lastChange()).toMatchObject({ action: 'update', asset_symbol: 'BTC', channel: 'rest' })
  })

  test('a checkbox and a weight of the form are in force at once', async ({ page, server, stream }) => {
    const main = shows('<VivienneConfigForm />', "import { VivienneConfigForm } from './VivienneConfigForm'")
    await open(page, server, { 'main.jsx': main })
    await page.getByLabel('Enable Levels Filter').click()
    await stream.until(
      'BTC',
      ({ agents }) => agents.VivienneAgent?.config.filters.levels.enable_levels_filter_for_entry === false,
    )
    await page.getByLabel('rsi:').fill('0.7')
    await stream.until('BTC', ({ agents }) => agents.VivienneAgent?.config.signal_weights.rsi === 0.7)
    await expect(page.getByLabel('Enable Levels Filter')).not.toBeChecked()
  })

  test('a refused value alerts, and nothing changes', async ({ page, server, watch }) => {
    watch.allow(REFUSED)
    const main = shows('<VivienneConfigForm />', "import { VivienneConfigForm } from './VivienneConfigForm'")
    await open(page, server, { 'main.jsx': main })
    await expect(page.getByLabel('Bang Threshold:')).toHaveValue('80')
    const { version } = await server.rest.active('BTC')

    const said = page.waitForEvent('dialog')
    const fill = page.getByLabel('Bang Threshold:').fill('105')
    const dialog = await said
    expect(dialog.message()).toMatch(/^Failed to update settings\.state_threshold_bang: HTTP 422: Unprocessable/)
    await dialog.accept()
    await fill
    await expect(page.getByText('Error: HTTP 422')).toBeVisible()
    expect((await server.rest.active('BTC')).version).toBe(version)
  })

  test('the monitor lists the last ten updates, the newest first', async ({ page, server }) => {
    const main = shows('<VivienneConfigMonitor />', "import { VivienneConfigMonitor } from './VivienneConfigMonitor'")
    await open(page, server, { 'main.jsx': main })
    await expect(page.getByRole('heading', { name: 'Configuration History - BTC' })).toBeVisible()
    await expect(page.locator('pre')).toHaveCount(10)
    await server.change({ settings: { state_threshold_bang: 88 } }, 'BTC')
    await expect(page.locator('pre').first()).toContainText('"state_threshold_bang": 88')
    await expect(page.locator('pre')).toHaveCount(10)
  })

  test.describe('with a server that dies', () => {
    test('the connection manager reconnects', async ({ page, server, stream, watch }) => {
      watch.allow(...SERVER_GONE, /^error: Vivienne WebSocket error/)
      const main = `import { VivienneWebSocketManager } from './VivienneWebSocketManager'
        window.manager = new VivienneWebSocketManager()
        window.manager.connect()`
      await open(page, server, { 'main.jsx': main })
      await stream.until('BTC', () => true)
      await server.kill()
      await expect.poll(() => stream.open).toBe(0)
      const seen = stream.states.length
      await server.start()
      await expect.poll(() => stream.states.length, { timeout: 20_000 }).toBeGreaterThan(seen)
      expect(await page.evaluate('window.manager.reconnectAttempts')).toBe(0)
      await page.evaluate('window.manager.disconnect()')
    })
  })

  test('messages of the three methods are answered and in force', async ({ page, server, stream }) => {
    const main = `
      ${guideExample('Connection Setup', server.port)}
      window.answers = []
      ws.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data)
        if (message.type !== 'asset_data') window.answers.push(message)
      })
      ws.addEventListener('open', () => {
        ${guideExample('Method 1: Direct WebSocket Messages (Legacy)', server.port)}
        ${guideExample('Method 3: Redis Channel Communication', server.port)}
      })
      window.shown = []
      const updateUI = (config) => window.shown.push(config)
      const setUp = ws.onmessage
      ${guideExample('Method 2: REST API + WebSocket State Sync (Recommended)', server.port)}
      window.update = updateVivienneConfig`
    await open(page, server, { 'main.jsx': main })
    await expect
      .poll(() => page.evaluate('window.answers.map(({ type, status }) => type + " " + status)'))
      .toEqual(['config_update_response success', 'control_response success'])
    const state = await stream.until(
      'BTC',
      ({ agents }) => agents.VivienneAgent?.config.settings.position_size_bang === 13,
    )
    expect(state.agents.VivienneAgent?.config).toMatchObject({
      settings: { state_threshold_bang: 75, state_threshold_aim: 70 },
      filters: { volatility: { volatility_squeeze_threshold: 0.01425 } },
      signal_weights: { ema_cross: 0.75, macd: 0.75, rsi: 0.5 },
    } satisfies DeepMatch)

    const updated = await page.evaluate(
      'window.update({ asset_symbol: "BTC", settings: { state_threshold_bang: 91 } })',
    )
    expect(updated).toMatchObject({ status: 'success', asset_symbol: 'BTC' })
    await expect.poll(() => page.evaluate('window.shown.at(-1)?.settings.state_threshold_bang')).toBe(91)
  })

  test('only the last of several debounced updates is sent, after a pause', async ({ page, server }) => {
    const main = `
      const ws = {}
      ${guideExample('Method 2: REST API + WebSocket State Sync (Recommended)', server.port)}
      ${guideExample('2. Debounced Updates', server.port).replace(/^import .*$/m, '')}
      window.update = debouncedUpdateConfig`
    await open(page, server, { 'main.jsx': `import { debounce } from 'lodash'\n${main}` })
    await page.evaluate(`for (const bang of [81, 82, 83]) {
      window.update({ asset_symbol: 'BTC', settings: { state_threshold_bang: bang } })
    }`)
    await expect.poll(async () => (await server.rest.active('BTC')).config.settings.state_threshold_bang).toBe(83)
    const { changed } = await server.lastChange()
    expect(changed).toEqual([{ path: 'settings.state_threshold_bang', old: 80, new: 83 }])
  })

  test('the cache gives back what was put in, and validation names what is out of bounds', async ({ page, server }) => {
    const main = `
      import { useCallback, useEffect, useState } from 'react'
      import { createRoot } from 'react-dom/client'
      import { useVivienneConfig } from './useVivienneConfig'
      ${guideExample('Validation', server.port)}
      ${guideExample('4. Real-time Validation', server.port)}
      ${guideExample('3. Configuration Caching', server.port)}
      const Shown = () => {
        const { config } = useVivienneConfig('ETH')
        const { getCachedConfig, setCachedConfig } = useConfigCache()
        const [bang, setBang] = useState(80)
        const [typed, setTyped] = useState({})
        const errors = useRealTimeValidation(typed)
        return <>
          <label>Bang <input type="number" value={bang} onChange={({ target }) => {
            setBang(target.value)
            setTyped({ settings: { state_threshold_bang: Number(target.value) } })
          }} /></label>
          <ul>{errors.map((error) => <li key={error}>{error}</li>)}</ul>
          <button type="button" onClick={() => setCachedConfig('ETH', config)}>Keep</button>
          <output>{getCachedConfig('ETH')?.settings.state_threshold_aim ?? 'nothing kept'}</output>
        </>
      }
      createRoot(document.getElementById('root')).render(<Shown />)`
    await server.change({ settings: { state_threshold_aim: 66 } }, 'ETH')
    await open(page, server, { 'main.jsx': main })
    await expect(page.getByRole('listitem')).toHaveCount(0)
    await page.getByLabel('Bang').fill('105')
    await expect(page.getByRole('listitem')).toHaveText('Bang threshold must be between 0 and 100')
    await page.getByLabel('Bang').fill('90')
    await expect(page.getByRole('listitem')).toHaveCount(0)
    await expect(page.getByRole('status')).toHaveText('nothing kept')
    await expect(async () => {
      await page.getByRole('button', { name: 'Keep' }).click()
      await expect(page.getByRole('status')).toHaveText('66', { timeout: 100 })
    }).toPass()
  })

  test('the state stream takes pages from other origins on this machine', async ({ page, server, stream }) => {
    const main = `window.ws = new WebSocket('ws://localhost:${server.port}/ws/state')`
    const origin = await open(page, server, { 'main.jsx': main })
    expect(origin).not.toBe(server.url)
    await stream.until('BTC', () => true)
    expect(await page.evaluate('window.ws.readyState')).toBe(1)
  })
})

type DeepMatch = { [K in keyof Configuration]?: unknown }

test('the guide has the examples that are tried here', () => {
  test.skip(!guideIsHere, 'the guide is not on this machine')
  expect([...guideCode().keys()].length).toBeGreaterThan(15)
})
