import { decision } from './stream.ts'
import { expect, type Locator, type Page, test } from './test.ts'
import { visit } from './visit.ts'
import { REFUSED, SERVER_GONE } from './watch.ts'

function banner(page: Page): Locator {
  return page.getByRole('region', { name: 'Paused' })
}

function question(page: Page, whom: string): Locator {
  return page.getByRole('dialog', { name: `Resume ${whom}?` })
}

function card(page: Page, asset: string): Locator {
  return page.getByRole('listitem').filter({ has: page.getByRole('link', { name: asset, exact: true }) })
}

/** Opens a page and waits until it is connected and the first states are there. */
async function opened(page: Page, address = '/'): Promise<void> {
  await page.goto(address)
  await expect(page.getByRole('region', { name: 'Connection' })).toContainText('Live')
  await expect(page.getByRole('button', { name: 'Pause all assets' })).toBeEnabled()
}

test('one click stops everything on every page, its reason can follow, and to resume asks first, with who and why', async ({
  page,
  anotherWindow: other,
  server,
  stream,
  watch,
}) => {
  watch.allow(REFUSED)
  await opened(page)
  await opened(other, '/logs')
  await test.step('one click stops everything, on every page', async () => {
    await page.getByRole('button', { name: 'Pause all assets' }).click()
    await Promise.all([
      expect(banner(page)).toContainText(/All assets are paused by anonymous, (now|\d s ago)/),
      expect(banner(other)).toContainText(/All assets are paused by anonymous/),
    ])
    for (const asset of ['BTC', 'ETH', 'SOL']) {
      await expect(card(page, asset)).toContainText(/idle.*paused/i)
      await stream.until(asset, (state) => {
        const { status, clarity_level: level, position_size: size } = decision(state)
        return status === 'paused' && level === 'idle' && size === 0
      })
    }
    await expect(page.getByRole('list', { name: 'Assets by level' })).toContainText('3 paused')
    await expect(page).toHaveTitle('all paused - Vivienne')
    await expect(page.getByRole('banner').getByRole('button', { name: 'All assets are paused: resume' })).toBeVisible()
  })

  await test.step('who stopped it says why afterwards; nobody else is asked to', async () => {
    await expect(banner(other).getByRole('button', { name: 'Add a reason' })).toHaveCount(0)
    await banner(page).getByRole('button', { name: 'Add a reason' }).click()
    await page.keyboard.type('the feed lies')
    await page.keyboard.press('Enter')
    await expect(banner(page)).toContainText(': the feed lies')
    await expect(banner(other)).toContainText(': the feed lies')
    await expect(banner(page).getByRole('textbox')).toHaveCount(0)
    expect((await server.rest.pauses()).pauses).toMatchObject([{ asset_symbol: null, reason: 'the feed lies' }])
  })

  await test.step('a reload keeps it, and so does every page', async () => {
    await page.reload()
    await expect(banner(page)).toContainText('All assets are paused')
    const navigation = page.getByRole('navigation', { name: 'Pages' }).filter({ visible: true })
    for (const name of ['Configuration', 'History', 'Logs', 'Overview']) {
      await navigation.getByRole('link', { name }).click()
      await expect(banner(page)).toBeVisible()
    }
    expect((await server.rest.pauses()).pauses).toHaveLength(1)
  })

  await test.step('to resume asks first, with who and why; every page sees it', async () => {
    await server.rest.resume()
    await server.rest.pause({ reason: 'wrong prices', author: 'ana' })
    await expect(banner(page)).toContainText(/by ana, .*: wrong prices/)
    await banner(page).getByRole('button', { name: 'Resume all assets' }).click()
    await expect(question(page, 'all assets')).toContainText('Paused by ana')
    await expect(question(page, 'all assets')).toContainText('wrong prices')
    await page.keyboard.press('Escape')
    await expect(question(page, 'all assets')).toBeHidden()
    expect((await server.rest.pauses()).paused).toEqual(['BTC', 'ETH', 'SOL'])

    await page.getByRole('button', { name: 'All assets are paused: resume' }).click()
    // The request waits in the browser while somebody pauses again.
    await page.route('**/resume', async (route) => {
      await server.rest.pause({ reason: 'wrong once more', author: 'bob' })
      await route.continue()
    })
    await expect(question(page, 'all assets').getByLabel('Reason')).toBeFocused()
    await page.keyboard.press('Enter')
    await expect(question(page, 'all assets')).toContainText('Not resumed: it stays paused')
    await expect(question(page, 'all assets')).toContainText('It has been paused again')
    await page.unroute('**/resume')
    // Held, it says nothing about what came since it was pressed.
    await page.keyboard.down('Enter')
    await page.keyboard.down('Enter')
    await page.keyboard.up('Enter')
    await expect(question(page, 'all assets')).toContainText('Paused by bob')
    await question(page, 'all assets').getByLabel('Reason').fill('prices are right again')
    await page.keyboard.press('Enter')
    await expect(banner(page)).toBeHidden()
    await expect(banner(other)).toBeHidden()
    await expect(page.getByRole('button', { name: 'Pause all assets' })).toBeVisible()
    await expect(card(page, 'BTC')).not.toContainText('paused')
    expect(await server.lastChange()).toMatchObject({ action: 'resume', reason: 'prices are right again' })
  })

  await test.step('a reason that is one long word stays on its card', async () => {
    await server.rest.pause({ asset: 'BTC', reason: 'x'.repeat(500) })
    await expect(card(page, 'BTC')).toContainText('xxx')
    expect(await card(page, 'BTC').evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0)
  })
})

test('one asset is stopped on its page while the others go on, and stays so when all are resumed; keys do so too', async ({
  page,
  server,
  stream,
}) => {
  await opened(page, '/assets/ETH?panel=history')
  await page.getByRole('main').getByRole('button', { name: 'Pause ETH' }).click()
  await expect(banner(page)).toContainText('ETH is paused')
  await stream.until('ETH', (state) => decision(state).status === 'paused')
  expect(decision(await stream.until('BTC', () => true)).status).toBe('live')
  await expect(page.locator('main header').first()).toContainText('paused')
  await expect(page.getByRole('region', { name: 'Chart of ETH' })).toContainText('nothing is decided')
  await expect(page.getByRole('region', { name: 'Why' })).toContainText('Nothing is decided: paused by anonymous')

  await server.rest.pause({ author: 'ana' })
  await expect(banner(page)).toContainText('All assets are paused, ETH by itself too')
  await banner(page).getByRole('button', { name: '2 pauses' }).click()
  await page.getByRole('list', { name: 'Pauses' }).getByRole('button', { name: 'Resume all assets' }).click()
  await expect(question(page, 'all assets')).toContainText('ETH stays paused')
  await question(page, 'all assets').getByRole('button', { name: 'Resume' }).click()
  await expect(banner(page)).toContainText(/^ETH is paused/)
  expect((await server.rest.pauses()).paused).toEqual(['ETH'])

  await test.step('keys stop everything, or the asset of the page', async () => {
    await server.rest.resume({ asset: 'ETH' })
    await expect(banner(page)).toBeHidden()
    await visit(page, '/')
    await expect(page.getByRole('heading', { name: 'Overview', level: 1 })).toBeAttached()
    await page.keyboard.type('pttpa')
    const armed = page.getByText('Press a again, or hold it, to pause all assets')
    await expect(armed).toBeVisible()
    await expect(banner(page)).toBeHidden()
    await page.keyboard.press('Escape')
    await expect(armed).toBeHidden()
    await page.keyboard.type('apaa')
    await expect(banner(page)).toContainText('All assets are paused')
    await page.keyboard.type('paa')
    await visit(page, '/assets/SOL?panel=history')
    await expect(page.getByRole('button', { name: 'Pause SOL' })).toBeVisible()
    await page.keyboard.type('ptt')
    await expect(banner(page)).toContainText('SOL by itself too')
    // What is paused already is not paused again.
    const { history } = await server.rest.history({ limit: 2 })
    expect(history.map(({ action, asset_symbol }) => [action, asset_symbol])).toEqual([
      ['pause', 'SOL'],
      ['pause', null],
    ])
  })
})

test('without its store a pause is in force, and the page says what that means; without its server a pause that fails says so', async ({
  page,
  server,
  watch,
}) => {
  watch.allow(/status of 503/, ...SERVER_GONE, REFUSED)
  await opened(page)
  await test.step('the store takes nothing', async () => {
    const unlock = await server.lockStore()
    await page.getByRole('button', { name: 'Pause all assets' }).click()
    await expect(banner(page)).toContainText('All assets are paused', { timeout: 2_000 })
    await expect(banner(page)).toContainText('not stored yet')
    await expect(card(page, 'BTC')).toContainText(/idle.*paused/i)

    await banner(page).getByRole('button', { name: 'Resume all assets' }).click()
    await question(page, 'all assets').getByRole('button', { name: 'Resume' }).click()
    await expect(question(page, 'all assets')).toContainText(/Not resumed|Result of the resumption unknown/, {
      timeout: 20_000,
    })
    await expect(banner(page)).toBeVisible()
    await page.keyboard.press('Escape')

    await unlock()
    await expect(banner(page)).not.toContainText('not stored yet', { timeout: 20_000 })
    await server.rest.resume()
    await expect(banner(page)).toBeHidden()
  })

  await test.step('what is switched while a page is offline shows when it is back; a pause that fails says so', async () => {
    await server.kill()
    await expect(page.getByRole('region', { name: 'Connection' })).toContainText('Offline')
    await page.getByRole('button', { name: 'Pause all assets' }).click()
    const alert = page.getByRole('alert').filter({ hasText: 'all assets' })
    await expect(alert).toContainText('Result of the pause unknown: all assets.')
    await server.start()
    await server.rest.pause({ asset: 'ETH', author: 'ana' })
    await expect(banner(page)).toContainText('ETH is paused by ana', { timeout: 20_000 })
    await alert.getByRole('button', { name: 'Try again' }).click()
    await expect(banner(page)).toContainText('All assets are paused, ETH by itself too')
    await expect(alert).toHaveCount(0)
  })
})
