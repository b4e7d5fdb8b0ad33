import { expectNothingSerious } from './axe.ts'
import { numberField, review, unsaved } from './configuring.ts'
import { lineTo } from './line.ts'
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
    await expectNothingSerious(page, 'main')

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
      if (name === 'Overview') await expectNothingSerious(page, 'main')
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

test('over a slow line the page says how far behind it is, and a review waits for its effect without moving', async ({
  page,
  server,
  watch,
}) => {
  const line = await lineTo(server.port)
  watch.allowOrigin(line.url)
  await page.goto(`${line.url}/configuration?asset=BTC`)
  const connection = page.getByRole('region', { name: 'Connection' })
  await expect(connection).toHaveAttribute('data-current')
  await numberField(page, 'Bang threshold').fill('85')
  line.narrow(1_500, 2_000)

  await test.step('old messages are never said to be of now', async () => {
    // Each is followed by what it changed, as long as its description.
    const text = 'x'.repeat(450)
    for (let size = 1; size <= 70; size++) {
      await server.change({ settings: { position_size_bang: size / 10, description: `${text}${size}` } }, 'ETH')
    }
    await expect(connection).toContainText(/ - data \d+ s old - \d+ s behind the server/, { timeout: 60_000 })
    await expect(connection).not.toHaveAttribute('data-current')
    await page.evaluate(() => {
      const line = document.querySelector('[aria-label="Connection"]') as HTMLElement
      const look = () => {
        const saysNow = line.dataset.current !== undefined || /data now/.test(line.textContent ?? '')
        // Once: to be told of this attribute too would have no end.
        if (saysNow && line.dataset.saidNow === undefined) line.dataset.saidNow = 'yes'
      }
      new MutationObserver(look).observe(line, {
        attributes: true,
        childList: true,
        characterData: true,
        subtree: true,
      })
    })
    // Others keep coming, each of them older when it comes.
    await expect(connection).toContainText(/ - (1[5-9]|[2-9]\d) s behind the server/, { timeout: 60_000 })
    await expect(connection).not.toHaveAttribute('data-said-now')
  })

  await test.step('a change cannot be saved before its effect is there; its buttons stay where they are', async () => {
    line.narrow(30_000, 2_000)
    await unsaved(page).getByRole('button', { name: 'Review' }).click()
    await expect(review(page)).toContainText('Save: 1 change for BTC')
    await expect(review(page)).toContainText('Waiting for the effect on past bars')
    const button = review(page).getByRole('button', { name: 'Save', exact: true })
    await expect(button).toBeDisabled()
    await button.evaluate((element) => {
      const look = () => {
        const tops = (document.body.dataset.tops ?? '').split(' ')
        const top = String(Math.round(element.getBoundingClientRect().top))
        if (!element.isConnected) return
        if (!tops.includes(top)) document.body.dataset.tops = [...tops, top].join(' ').trim()
        requestAnimationFrame(look)
      }
      look()
    })
    // On a busy machine an answer may be late; it is asked for again then.
    await expect(async () => {
      const again = review(page).getByRole('button', { name: 'Ask again' })
      if (await again.isVisible()) await again.click()
      await expect(button).toBeEnabled({ timeout: 5_000 })
    }).toPass({ timeout: 120_000 })
    await expect(review(page).getByRole('region', { name: 'Effect on past bars' })).toContainText('of the last')
    await expect(page.locator('body')).toHaveAttribute('data-tops', /^\d+$/)
    await page.keyboard.press('Escape')
  })
  await page.close()
  line.close()
})

/** Of each round six pages are seen; what the first rounds load stays. */
const [FIRST_ROUNDS, ROUNDS] = full ? [5, 20] : [2, 4]
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
