import AxeBuilder from '@axe-core/playwright'
import { numberField, review, unsaved } from './configuring.ts'
import { PAGES } from './pages.ts'
import { expect, type Page, test } from './test.ts'

async function expectNothingSerious(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
    )
  expect(serious).toEqual([])
}

for (const colorScheme of ['dark', 'light'] as const) {
  test.describe(`axe finds nothing serious in ${colorScheme} colours`, () => {
    test.use({ colorScheme })

    for (const { name, address, heading } of PAGES) {
      test(name, async ({ page, server }) => {
        await server.change({ settings: { state_threshold_bang: 84 } }, 'BTC', 'something to show')
        await page.goto(address)
        await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeAttached()
        await expect(page.getByRole('region', { name: 'Connection' })).toContainText('Live')
        await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
        await expectNothingSerious(page)
      })
    }

    test('an edit, its error and its review', async ({ page }) => {
      await page.goto('/configuration')
      await numberField(page, 'Bang threshold').fill('105')
      await expect(unsaved(page)).toContainText('1 problem')
      await expectNothingSerious(page)
      await numberField(page, 'Bang threshold').fill('85')
      await unsaved(page).getByRole('button', { name: 'Review' }).click()
      await expect(review(page).getByRole('row', { name: /Bang threshold/ })).toBeVisible()
      await expectNothingSerious(page)
    })
  })
}
