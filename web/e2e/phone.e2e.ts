import { numberField, review, save } from './configuring.ts'
import { NAVIGATION, PAGES } from './pages.ts'
import { expect, type Page, test } from './test.ts'
import { visit } from './visit.ts'

test.use({
  window: 'phone',
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 1,
})

async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const widths = () =>
    page.evaluate(() => [document.documentElement.scrollWidth, document.body.scrollWidth, window.visualViewport?.width])
  await expect.poll(widths).toEqual([390, 390, 390])
}

test('every page is reachable with the thumb, and nothing has to be scrolled sideways', async ({ page }) => {
  const asked: string[] = []
  page.on('request', (request) => request.url().includes('/bars?') && asked.push(request.url()))
  await page.goto('/assets/BTC?panel=why')
  await test.step('chart, reasons, configuration and history of an asset are each a tab away', async () => {
    const why = page.getByRole('region', { name: 'Why' })
    const cells = why.getByRole('table').locator('th, td')
    await expect(cells.first()).toBeVisible()
    const printedOver = await cells.evaluateAll(
      (all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length,
    )
    expect(printedOver, 'cells wider than their column').toBe(0)
    expect(asked, 'bars nobody looks at are not asked for').toEqual([])
    await page.getByRole('tab', { name: 'Chart' }).tap()
    await expect(page.getByRole('region', { name: 'Chart of BTC' })).toBeVisible()
    await expect.poll(() => asked.length).toBeGreaterThan(0)
    await expectNoSidewaysScrolling(page)
    await page.getByRole('tab', { name: 'Configuration' }).tap()
    await expect(numberField(page, 'Bang threshold')).toBeVisible()
    await page.getByRole('tab', { name: 'History' }).tap()
    await expect(page.getByRole('region', { name: 'Chart of BTC' })).toBeHidden()
    await expectNoSidewaysScrolling(page)
  })
  await test.step('every page is reachable with the thumb', async () => {
    const navigation = page.getByRole('navigation', { name: 'Pages' }).filter({ visible: true })
    for (const name of NAVIGATION) {
      const link = navigation.getByRole('link', { name })
      await expect(link).toBeInViewport()
      const box = await link.boundingBox()
      expect(box?.height).toBeGreaterThanOrEqual(44)
      await link.tap()
      await expect(page.getByRole('heading', { name, level: 1 })).toBeAttached()
    }
  })
  for (const { name, address, heading } of PAGES) {
    await test.step(name, async () => {
      await visit(page, address)
      await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeAttached()
      await expect(page.getByRole('region', { name: 'Connection' })).toContainText('Live')
      await expectNoSidewaysScrolling(page)
    })
  }
})

test('with the thumb everything is stopped and a value is changed, and nothing is out of sight because of it', async ({
  page,
  server,
}) => {
  await test.step('everything is stopped', async () => {
    await page.goto('/assets/BTC')
    await page.getByRole('button', { name: 'Pause all assets' }).tap()
    const banner = page.getByRole('region', { name: 'Paused' })
    await expect(banner).toContainText('All assets are paused')
    await expect(banner.getByRole('button', { name: 'Resume all assets' })).toBeInViewport({ ratio: 1 })
    expect((await server.rest.pauses()).paused).toEqual(['BTC', 'ETH', 'SOL'])
    await page.getByRole('button', { name: 'Pause BTC' }).tap()
    await expect(banner).toContainText('BTC by itself too')
    await expectNoSidewaysScrolling(page)
    await banner.getByRole('button', { name: '2 pauses' }).tap()
    await expectNoSidewaysScrolling(page)
  })
  await test.step('a long reason is cut, and can be read as a whole', async () => {
    await server.rest.resume({ asset: 'BTC' })
    await server.rest.pause({ reason: `${'the exchange reports wrong prices, '.repeat(8)}ask Ana` })
    const banner = page.getByRole('region', { name: 'Paused' })
    const end = banner.getByText('ask Ana')
    await banner.getByRole('button', { name: 'Show all' }).tap()
    await expect(banner.getByRole('button', { name: 'Show less' })).toHaveAttribute('aria-expanded', 'true')
    const cut = await end.evaluate((one) => {
      const words = one.closest('p') as HTMLElement
      return words.scrollHeight - words.clientHeight
    })
    expect(cut, 'pixels of the reason out of sight').toBeLessThanOrEqual(1)
    await expect(banner.getByRole('button', { name: 'Resume all assets' })).toBeInViewport({ ratio: 1 })
    await expectNoSidewaysScrolling(page)
    await banner.getByRole('button', { name: 'Show less' }).tap()
  })
  await test.step('a value is changed', async () => {
    await page.getByRole('tab', { name: 'Configuration' }).tap()
    await page.getByRole('button', { name: 'Bang threshold: one step up' }).tap()
    await save(page, 'on the way')
    await expect(review(page)).toBeHidden()
    expect((await server.lastChange()).changed).toMatchObject([{ path: 'settings.state_threshold_bang', old: 80 }])
    await expectNoSidewaysScrolling(page)
  })
})
