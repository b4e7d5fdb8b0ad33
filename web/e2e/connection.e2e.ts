import { numberField, review, unsaved } from './configuring.ts'
import { NAVIGATION } from './pages.ts'
import { full } from './sizes.ts'
import { shownPrice, wasSent } from './stream.ts'
import { expect, type Page, test } from './test.ts'
import { SERVER_GONE } from './watch.ts'

/** Whether the numbers of the asset in view look old. */
function looksOld(page: Page): Promise<boolean> {
  return page.getByRole('meter', { name: 'Confidence' }).evaluate((meter) => {
    const fresh = meter.closest('.fresh')
    return fresh !== null && getComputedStyle(fresh).filter.includes('grayscale')
  })
}

test.describe('the server dies and comes back', () => {
  test.beforeEach(({ watch }) => watch.allow(...SERVER_GONE))

  test('the page says so, greys its numbers, keeps what was typed, and goes on by itself with fresh ones', async ({
    page,
    server,
    stream,
  }) => {
    const connection = page.getByRole('region', { name: 'Connection' })
    await page.goto('/assets/BTC')
    await expect(connection).toContainText('Live')
    await stream.until('BTC', () => true)
    expect(await looksOld(page)).toBe(false)

    await numberField(page, 'Bang threshold').fill('87')
    await server.kill()
    await expect(connection).toContainText('Offline')
    await expect(connection).toContainText(/old/)
    await expect.poll(() => looksOld(page)).toBe(true)
    await expect(page).toHaveTitle(/^Offline|^Connecting/)

    await expect(unsaved(page)).toContainText('Not connected')
    await expect(unsaved(page).getByRole('button', { name: 'Review' })).toBeDisabled()
    await expect(numberField(page, 'Bang threshold')).toHaveValue('87')
    await numberField(page, 'Bang threshold').fill('88')

    const before = stream.states.length
    await server.start()
    await expect(connection).toContainText('Live', { timeout: 15_000 })
    await expect.poll(() => looksOld(page)).toBe(false)
    await expect.poll(() => stream.states.length).toBeGreaterThan(before)
    await expect
      .poll(async () => wasSent((await shownPrice(page).textContent()) ?? '', stream.states.slice(before)))
      .toBe(true)
    expect(stream.open).toBe(1)

    await unsaved(page).getByRole('button', { name: 'Review' }).click({ timeout: 15_000 })
    await review(page).getByRole('button', { name: 'Save' }).click()
    await expect(review(page)).toBeHidden()
    await expect.poll(async () => (await server.rest.active('BTC')).config.settings.state_threshold_bang).toBe(88)
  })

  test('every page opens without the server, says so, and fills when it is back', async ({ page, server }) => {
    await page.goto('/')
    await expect(page.getByRole('link', { name: 'BTC', exact: true })).toBeVisible()
    await loadEveryPage(page)
    await server.kill()
    const connection = page.getByRole('region', { name: 'Connection' })
    await expect(connection).toContainText('Offline')
    const navigation = page.getByRole('navigation', { name: 'Pages' }).filter({ visible: true })
    for (const name of NAVIGATION) {
      await navigation.getByRole('link', { name }).click()
      await expect(page.getByRole('heading', { name, level: 1 })).toBeAttached()
      await expect(connection).toContainText(/Offline|Connecting/)
    }
    await server.start()
    await expect(page.getByRole('log')).toContainText('Vivienne listens', { timeout: 20_000 })
  })

  async function loadEveryPage(page: Page): Promise<void> {
    const navigation = page.getByRole('navigation', { name: 'Pages' }).filter({ visible: true })
    for (const name of NAVIGATION) {
      await navigation.getByRole('link', { name }).click()
      await expect(page.getByRole('heading', { name, level: 1 })).toBeAttached()
    }
  }
})

/** Of each round six pages are seen; what the first rounds load stays. */
const [FIRST_ROUNDS, ROUNDS] = full ? [5, 20] : [1, 4]
/** By how much each may grow. Nodes and listeners come back to what they were; compiled code stays. */
const MOST = { Nodes: 1.1, JSEventListeners: 1.1, JSHeapUsedSize: 1.5 }

test.describe('in a window of its own', () => {
  // What other pages left behind must not be counted.
  test.use({ window: 'alone' })

  test('rounds through all pages leave one connection and no growing page', async ({ page, stream }) => {
    if (full) test.slow()
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    const logs = new Set<unknown>()
    page.on('websocket', (socket) => {
      if (!socket.url().includes('/ws/logs')) return
      logs.add(socket)
      socket.on('close', () => logs.delete(socket))
    })
    const measured = async (): Promise<Record<string, number>> => {
      await session.send('HeapProfiler.collectGarbage')
      const { metrics } = await session.send('Performance.getMetrics')
      return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
    }
    const navigation = page.getByRole('navigation', { name: 'Pages' }).filter({ visible: true })
    const round = async () => {
      for (const name of NAVIGATION) {
        await navigation.getByRole('link', { name }).click()
        await expect(page.getByRole('heading', { name, level: 1 })).toBeAttached()
      }
      await navigation.getByRole('link', { name: 'Overview' }).click()
      await page.getByRole('link', { name: 'BTC', exact: true }).click()
      await expect(numberField(page, 'Bang threshold')).toBeVisible()
    }

    await page.goto('/')
    for (let times = 0; times < FIRST_ROUNDS; times++) await round()
    const early = await measured()
    for (let times = FIRST_ROUNDS; times < ROUNDS; times++) await round()

    expect(stream.open).toBe(1)
    expect(stream.made).toBe(1)
    await expect.poll(() => logs.size).toBe(0)
    for (const [name, most] of Object.entries(MOST)) {
      // What was left behind may be collected a moment later.
      await expect.poll(async () => (await measured())[name], { message: name }).toBeLessThan(most * (early[name] ?? 0))
    }
  })
})
