import { expectNothingSerious } from './axe.ts'
import { numberField, review, unsaved } from './configuring.ts'
import { expect, type Page, test } from './test.ts'
import { visit } from './visit.ts'

/** Every page with something on it. The form of an asset stands on a page of its own, too. */
const PAGES = [
  { name: 'overview', address: '/', heading: 'Overview' },
  { name: 'asset and its history', address: '/assets/BTC?panel=history', heading: 'BTC' },
  { name: 'configuration of an asset', address: '/configuration?asset=BTC', heading: 'Configuration' },
  { name: 'history', address: '/history', heading: 'History' },
  { name: 'logs', address: '/logs', heading: 'Logs' },
  { name: 'unknown asset', address: '/assets/DOGE', heading: 'There is no asset DOGE' },
  { name: 'unknown address', address: '/nowhere', heading: 'Page not found' },
] as const

async function expectPage(page: Page, heading: string): Promise<void> {
  await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeAttached()
  await expect(page.getByRole('banner').getByText('Simulated market')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Connection' })).toContainText('Live')
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
}

test.describe('axe finds nothing serious', () => {
  test('on every page, and the simulated market is named on each', async ({ page, server }) => {
    test.slow()
    await server.change({ settings: { state_threshold_bang: 84 } }, 'BTC', 'something to show')
    await page.goto('/')
    for (const { name, address, heading } of PAGES) {
      await test.step(name, async () => {
        await visit(page, address)
        await expectPage(page, heading)
        // The frame is the same around all of them.
        await expectNothingSerious(page, ...(address === '/' ? [] : ['main']))
      })
    }
    await test.step('asset with its configuration, whose form axe has seen', async () => {
      await visit(page, '/assets/BTC?panel=configuration')
      await expectPage(page, 'BTC')
    })
  })

  test('an edit with its error and its review; pauses, and the question before their end', async ({ page, server }) => {
    await test.step('an edit, its error and its review', async () => {
      await page.goto('/configuration')
      await numberField(page, 'Bang threshold').fill('105')
      await expect(unsaved(page)).toContainText('1 problem')
      await expectNothingSerious(
        page,
        '[data-path="settings.state_threshold_bang"]',
        '[aria-label="Changes that are not saved"]',
      )
      await numberField(page, 'Bang threshold').fill('85')
      await unsaved(page).getByRole('button', { name: 'Review' }).click()
      await expect(review(page).getByRole('row', { name: /Bang threshold/ })).toBeVisible()
      await review(page).getByRole('button', { name: 'Only for some assets' }).click()
      // Colours are looked at when everything is there.
      await expect(review(page).getByRole('button', { name: 'Save', exact: true })).toBeEnabled()
      await expectNothingSerious(page, '[role="dialog"]')
      await page.keyboard.press('Escape')
      await expect(review(page)).toBeHidden()
    })
    await test.step('a pause of everything', async () => {
      await server.rest.pause({ reason: 'the exchange reports wrong prices' })
      await visit(page, '/')
      await expect(page.getByRole('region', { name: 'Paused' })).toContainText('All assets are paused')
      await expect(page.getByRole('list', { name: 'Assets', exact: true })).toContainText('paused')
      await expectNothingSerious(page)
    })
    await test.step('a pause of one asset, and the question before its end', async () => {
      await visit(page, '/assets/BTC?panel=history')
      await expect(page.getByRole('region', { name: 'Why' })).toContainText('Nothing is decided')
      await page.getByRole('button', { name: 'Pause BTC' }).click()
      await page.getByRole('button', { name: '2 pauses' }).click()
      await expect(page.getByRole('list', { name: 'Pauses' })).toBeVisible()
      await expectNothingSerious(page)
      await page.getByRole('list', { name: 'Pauses' }).getByRole('button', { name: 'Resume BTC' }).click()
      await expect(page.getByRole('dialog', { name: 'Resume BTC?' })).toBeVisible()
      await expectNothingSerious(page, '[role="dialog"]')
    })
  })
})
