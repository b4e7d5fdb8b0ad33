import { numberField } from './configuring.ts'
import { NAVIGATION } from './pages.ts'
import { expect, type Page, test } from './test.ts'
import { visit } from './visit.ts'

test('links, keys and the way back lead from page to page; an address that leads nowhere says so', async ({ page }) => {
  await test.step('an address that leads nowhere says so, and the way on', async () => {
    await page.goto('/nowhere/at/all')
    await expect(page.getByText('/nowhere/at/all')).toBeVisible()
    await page.getByRole('link', { name: 'To the overview' }).last().click()
    await expect(page.getByRole('list', { name: 'Assets', exact: true })).toBeVisible()
  })
  await test.step('the navigation leads to every page, and says where one is', async () => {
    const navigation = page.getByRole('navigation', { name: 'Pages' }).filter({ visible: true })
    for (const name of NAVIGATION) {
      const link = navigation.getByRole('link', { name })
      await link.click()
      await expect(page.getByRole('heading', { name, level: 1 })).toBeAttached()
      await expect(link).toHaveAttribute('aria-current', 'page')
    }
  })
  await test.step('the way back leads through the pages that were seen', async () => {
    await visit(page, '/')
    await page.getByRole('link', { name: 'ETH', exact: true }).click()
    await expect(page).toHaveURL('/assets/ETH')
    await page
      .getByRole('navigation', { name: 'Pages' })
      .filter({ visible: true })
      .getByRole('link', { name: 'Logs' })
      .click()
    await expect(page.getByRole('heading', { name: 'Logs' })).toBeVisible()
    await page.goBack()
    await expect(page.getByRole('heading', { name: 'ETH', level: 1 })).toBeAttached()
    await page.goBack()
    await expect(page.getByRole('heading', { name: 'Overview', level: 1 })).toBeAttached()
  })
  await test.step('keys lead to every page, and a list says which', async () => {
    await expect(page.getByRole('heading', { name: 'Overview', level: 1 })).toBeAttached()
    await page.keyboard.press('?')
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('dialog')).toBeHidden()
    for (const [key, name] of [
      ['g', 'Charts'],
      ['a', 'Alerts'],
      ['h', 'History'],
      ['l', 'Logs'],
      ['c', 'Configuration'],
      ['o', 'Overview'],
    ] as const) {
      await page.keyboard.press('g')
      await page.keyboard.press(key)
      await expect(page.getByRole('heading', { name, level: 1 })).toBeAttached()
    }
  })
})

function background(page: Page): Promise<number> {
  return page.evaluate(() => {
    const [red = 0, green = 0, blue = 0] =
      getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? []
    return red + green + blue
  })
}

test('colours are those of the system until somebody chooses others, who finds them again', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto('/')
  expect(await background(page)).toBeGreaterThan(600)
  await page.emulateMedia({ colorScheme: 'dark' })
  await expect.poll(() => background(page)).toBeLessThan(150)

  await page.getByRole('button', { name: 'Switch to light colours' }).click()
  await expect.poll(() => background(page)).toBeGreaterThan(600)
  await page.reload()
  await expect(page.getByRole('button', { name: 'Switch to dark colours' })).toBeVisible()
  expect(await background(page)).toBeGreaterThan(600)
})

test('addresses survive a reload', async ({ page, server }) => {
  await test.step('asset, panel and range', async () => {
    await page.goto('/assets/ETH')
    await page.getByRole('tab', { name: 'History' }).click()
    const ranges = page.getByRole('radiogroup', { name: 'Bars shown' })
    await ranges.getByText('100', { exact: true }).click()
    await expect(page).toHaveURL((url) => url.search.includes('panel=history') && url.search.includes('range=100'))
    await page.reload()
    await expect(page.getByRole('heading', { name: 'ETH', level: 1 })).toBeAttached()
    await expect(page.getByRole('tab', { name: 'History' })).toHaveAttribute('aria-selected', 'true')
    await expect(ranges.getByRole('radio', { name: '100', exact: true })).toBeChecked()
  })
  await test.step('the field that was opened', async () => {
    await visit(page, '/assets/ETH?panel=configuration&field=indicators.rsi_period')
    const expectOpen = async () => {
      await expect(numberField(page, 'RSI period')).toBeFocused()
      await expect(numberField(page, 'RSI period')).toBeInViewport()
    }
    await expectOpen()
    await page.reload()
    await expectOpen()
  })
  await test.step('the filter of the logs', async () => {
    await server.change({ settings: { state_threshold_bang: 84 } }, 'ETH', 'to be found')
    await visit(page, '/logs')
    await page.getByRole('combobox', { name: 'Level' }).selectOption('Info and above')
    await expect(page).toHaveURL((url) => url.searchParams.get('level') === 'info')
    await page.getByLabel('Filter records by text').fill('for ETH')
    await expect(page).toHaveURL(
      (url) => url.searchParams.get('text') === 'for ETH' && url.searchParams.get('level') === 'info',
    )
    await page.reload()
    await expect(page.getByLabel('Filter records by text')).toHaveValue('for ETH')
    await expect(page.getByRole('combobox', { name: 'Level' })).toHaveValue('info')
    await expect(page.getByRole('log')).toContainText('for ETH')
  })
  await test.step('the filters of the history, the search in the form and the order of the overview', async () => {
    await page.goto('/history?asset=ETH&author=ana')
    await expect(page.getByRole('combobox', { name: 'Asset' })).toHaveValue('ETH')
    await expect(page.getByLabel('Author')).toHaveValue('ana')
    await visit(page, '/configuration?find=ema')
    await expect(page.getByRole('spinbutton', { name: 'EMA slow' })).toBeVisible()
    await expect(page.getByRole('spinbutton', { name: 'RSI period' })).toHaveCount(0)
    await visit(page, '/?order=name')
    await expect(page.getByRole('combobox', { name: 'Order' })).toHaveValue('name')
  })
})
