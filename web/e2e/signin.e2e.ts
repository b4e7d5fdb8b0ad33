import { expectNothingSerious } from './axe.ts'
import { numberField, review, save, unsaved } from './configuring.ts'
import { expect, type Locator, type Page, test } from './test.ts'
import { visit } from './visit.ts'
import { REFUSED, SERVER_GONE } from './watch.ts'

test.use({
  serving: {
    flags: ['--assets', 'BTC,ETH', '--log-level', 'debug'],
    tokens: { vera: 'viewer', tom: 'tuner', ada: 'admin' },
  },
})
// Chromium itself reports what is answered 401, and WebSockets that are refused.
test.beforeEach(({ watch }) => watch.allow(REFUSED, ...SERVER_GONE))

const heading = (page: Page) => page.getByRole('heading', { name: 'Sign in', level: 1 })
const field = (page: Page) => page.getByLabel('Token', { exact: true })
const connection = (page: Page): Locator => page.getByRole('region', { name: 'Connection' })

async function signIn(page: Page, token: string): Promise<void> {
  await expect(heading(page)).toBeVisible()
  await field(page).fill(token)
  await field(page).press('Enter')
}

/** Opens an address and signs in there. */
async function enter(page: Page, address: string, token: string): Promise<void> {
  await page.goto(address)
  await signIn(page, token)
  await expect(connection(page)).toContainText('Live')
}

test('without a token there is a page that says what one is, what is wrong with another one, and leads on', async ({
  page,
  server,
}) => {
  await test.step('under the address that was asked for', async () => {
    await page.goto('/assets/ETH?panel=history')
    await expect(heading(page)).toBeVisible()
    await expect(field(page)).toBeFocused()
    await expect(page.getByRole('status')).toHaveText('A token is needed.')
    await expect(page.getByText('vivienne token create ana --role tuner')).toBeVisible()
    await expect(page).toHaveTitle('Sign in - Vivienne')
  })

  await test.step('a token that is wrong or not whole is said beside the field, where axe finds nothing serious', async () => {
    await signIn(page, 'viv_half')
    await expect(page.getByRole('alert')).toContainText('not a complete token')
    await expectNothingSerious(page)
    await signIn(page, `viv_${'x'.repeat(43)}`)
    await expect(page.getByRole('alert')).toHaveText('The token is not known, has expired, or was revoked.')
    await expect(field(page)).toBeFocused()
    await expect(field(page)).toHaveValue(/^viv_x+$/)
  })

  await test.step('a server that is gone is said, and no sign-in is lost', async () => {
    await server.kill()
    await signIn(page, ` ${server.token('tom')} `)
    await expect(page.getByRole('alert')).toContainText('cannot be reached')
    await server.start()
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(connection(page)).toContainText('Live')
  })

  await test.step('the address that was asked for is there, also after a reload', async () => {
    await expect(page.getByRole('heading', { name: 'ETH', level: 1 })).toBeAttached()
    await expect(page).toHaveURL(/\/assets\/ETH\?panel=history$/)
    await expect(page.getByRole('button', { name: 'Signed in as tom, tuner' })).toBeVisible()
    await page.reload()
    await expect(connection(page)).toContainText('Live')
    await expect(page.getByRole('button', { name: 'Signed in as tom, tuner' })).toBeVisible()
  })
})

test('a tuner changes a value, under the name of the token, and rolls back', async ({ page, server }) => {
  const { version } = await server.change({ settings: { state_threshold_bang: 84 } }, 'BTC')
  await enter(page, '/assets/BTC', server.token('tom'))
  await numberField(page, 'Bang threshold').fill('86')
  await unsaved(page).getByRole('button', { name: 'Review' }).click()
  await expect(review(page)).toContainText('Goes into the history as tom')
  await page.keyboard.press('Escape')
  await save(page, 'fewer entries')
  await expect(review(page)).toBeHidden()
  const made = await server.lastChange()
  expect([made.author, made.claimed_author, made.reason]).toEqual(['tom', undefined, 'fewer entries'])
  expect((await server.rest.active('BTC')).config.settings.state_threshold_bang).toBe(86)

  await page.getByRole('tab', { name: 'History' }).click()
  const former = page.getByRole('listitem', { name: `Version ${version}`, exact: true })
  await former.getByRole('button', { name: 'Roll back to this' }).click()
  await review(page).getByRole('button', { name: 'Roll back' }).click()
  await expect(review(page)).toBeHidden()
  expect((await server.rest.active('BTC')).config.settings.state_threshold_bang).toBe(84)
})

test('a viewer sees values, tries one out, and reads why it cannot be saved', async ({ page, server }) => {
  const { version } = await server.change({ settings: { state_threshold_bang: 84 } }, 'BTC')
  await server.change({ settings: { state_threshold_bang: 85 } }, 'BTC')
  await enter(page, '/assets/BTC?panel=configuration', server.token('vera'))
  await expect(numberField(page, 'Bang threshold')).toHaveValue('85')
  await expect(page.getByRole('button', { name: /^Reset/ })).toHaveCount(0)
  await numberField(page, 'Bang threshold').fill('90')
  await expect(unsaved(page)).toContainText('your role cannot save')
  await unsaved(page).getByRole('button', { name: 'Review' }).click()
  await expect(review(page)).toContainText('This requires a token with the role tuner')
  await expect(review(page).getByRole('row', { name: /Bang threshold/ })).toBeVisible()
  await expect(review(page).getByRole('button', { name: 'Save' })).toHaveCount(0)
  await page.keyboard.press('Escape')

  await page.getByRole('tab', { name: 'History' }).click()
  const former = page.getByRole('listitem', { name: `Version ${version}`, exact: true })
  await expect(former.getByRole('button', { name: 'Whole document' })).toBeVisible()
  await expect(former.getByRole('button', { name: 'Roll back to this' })).toHaveCount(0)
  expect((await server.rest.active('BTC')).config.settings.state_threshold_bang).toBe(85)

  await test.step('who paused and why, and why it takes another role to pause or resume', async () => {
    await server.rest.pause({ asset: 'BTC', reason: 'a bad feed' })
    const banner = page.getByRole('region', { name: 'Paused' })
    await expect(banner).toContainText('a bad feed')
    const resume = banner.getByRole('button', { name: 'Resume BTC' })
    await expect(resume).toBeDisabled()
    await expect(resume).toHaveAttribute('title', /This requires a token with the role tuner/)
    const pause = page.getByRole('button', { name: 'Pause all assets' })
    await expect(pause).toBeDisabled()
    await page.keyboard.type('paa')
    await expect(banner).toContainText('BTC is paused')
  })
})

test('the token is in no address, no storage but that of the tab, no console and no log; revoked, it leads out and what was typed is kept', async ({
  page,
  server,
  stream,
  context,
}) => {
  const seen: string[] = []
  page.on('request', (request) => seen.push(request.url(), request.postData() ?? ''))
  page.on('console', (message) => seen.push(message.text()))
  page.on('websocket', (socket) => {
    seen.push(socket.url())
    socket.on('framesent', ({ payload }) => seen.push(String(payload)))
    socket.on('framereceived', ({ payload }) => seen.push(String(payload)))
  })
  await server.makeToken('tim', 'tuner')
  await enter(page, '/assets/BTC?panel=configuration', server.token('tim'))
  await numberField(page, 'Bang threshold').fill('83')
  await save(page)
  await visit(page, '/logs')
  await expect(page.getByRole('log')).toContainText('by tim')
  await visit(page, '/assets/BTC?panel=configuration')
  await numberField(page, 'Bang threshold').fill('87')
  await expect(unsaved(page)).toContainText('1 change')

  await server.revoke('tim')
  await expect(heading(page)).toBeVisible()
  await expect(page.getByRole('status')).toHaveText(
    'You were signed out, tim: the token tim was revoked. Your input is kept.',
  )
  // Nothing is tried over and over behind the page.
  const made = stream.made
  await page.waitForTimeout(1500)
  expect([stream.made, stream.open]).toEqual([made, 0])

  await test.step('the token is nowhere', async () => {
    expect(seen.length).toBeGreaterThan(20)
    expect(seen.filter((text) => text.includes('viv_'))).toEqual([])
    expect(server.logged).not.toContain('viv_')
    const kept = await page.evaluate(async () => ({
      local: JSON.stringify(localStorage),
      cookies: document.cookie,
      databases: await indexedDB.databases(),
      caches: await caches.keys(),
      session: JSON.stringify(sessionStorage),
    }))
    expect(JSON.stringify(kept)).not.toContain('viv_')
    expect(await context.cookies()).toEqual([])
  })

  await signIn(page, server.token('ada'))
  await expect(numberField(page, 'Bang threshold')).toHaveValue('87')
  await save(page)
  expect((await server.lastChange()).author).toBe('ada')
})

test('another tab has to sign in for itself; signing out forgets the token, and asks for one', async ({
  page,
  server,
  context,
}) => {
  await enter(page, '/', server.token('ada'))
  const other = await context.newPage()
  await other.goto('/')
  await expect(heading(other)).toBeVisible()
  await expect(connection(page)).toContainText('Live')

  await page.getByRole('button', { name: 'Signed in as ada, admin' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('status')).toHaveText('You are signed out.')
  await page.reload()
  await expect(heading(page)).toBeVisible()
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('viv_')
})

test('the API reference opens, and takes a token', async ({ page, server }) => {
  await page.goto('/docs')
  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.getByRole('dialog').or(page.locator('.dialog-ux')).getByRole('textbox').fill(server.token('vera'))
  await page.locator('.auth-btn-wrapper').getByRole('button', { name: 'Apply credentials' }).click()
  await page.locator('.auth-btn-wrapper').getByRole('button', { name: 'Close' }).click()
  await page.locator('#operations-access-caller_auth_caller_get').getByRole('button').first().click()
  await page.getByRole('button', { name: 'Try it out' }).click()
  await page.getByRole('button', { name: 'Execute' }).click()
  await expect(page.locator('.live-responses-table')).toContainText('"vera"')
})
