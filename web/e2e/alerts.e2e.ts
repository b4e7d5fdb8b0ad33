import { expectNothingSerious } from './axe.ts'
import { Receiver } from './receiver.ts'
import { expect, type Locator, type Page, test } from './test.ts'
import { visit } from './visit.ts'
import { REFUSED } from './watch.ts'

test.use({ serving: { flags: ['--assets', 'BTC,ETH,SOL', '--alert-hosts', '127.0.0.1'] } })

let receiver: Receiver
test.beforeAll(async () => {
  receiver = await Receiver.started()
})
test.afterAll(() => receiver.end())

/** Stands in for the notifications of the system, which a browser without a window does not show, and notes them. */
function noteNotifications(): void {
  const shown: string[] = []
  class Noted {
    static permission = 'default'
    static async requestPermission(): Promise<string> {
      Noted.permission = 'granted'
      return Noted.permission
    }
    constructor(title: string, options: NotificationOptions) {
      shown.push(`${options.tag}: ${title}: ${options.body}`)
    }
  }
  Object.assign(window, { shown, Notification: Noted })
}

function shown(page: Page): Promise<string[]> {
  return page.evaluate(() => (window as unknown as { shown: string[] }).shown)
}

function rule(page: Page, name: string): Locator {
  return page.getByRole('list', { name: 'Rules' }).getByRole('listitem', { name, exact: true })
}

test('a rule is made, tested, switched off and edited; what it tells rings the bell and arrives signed', async ({
  page,
  server,
  watch,
}) => {
  // A rule without a name is refused on purpose.
  watch.allow(REFUSED)
  await page.addInitScript(noteNotifications)
  let secret = ''
  const bells: string[] = []
  page.on('websocket', (socket) => socket.url().endsWith('/ws/alerts') && bells.push(socket.url()))

  await test.step('the first rule is made; its signing secret is shown once', async () => {
    await page.goto('/alerts')
    await page.getByRole('button', { name: 'Make the first rule' }).click()
    const form = page.getByRole('form', { name: 'New rule' })
    const events = form.getByRole('group', { name: 'Event' })
    await events.getByRole('button', { name: 'Level', exact: true }).click()
    await events.getByRole('button', { name: 'Pause', exact: true }).click()
    await form.getByRole('button', { name: 'Show notifications here' }).click()
    await expect(form.getByRole('button', { name: 'Show notifications here' })).toHaveCount(0)
    await form.getByRole('button', { name: 'Add Webhook' }).click()
    await form.getByRole('button', { name: 'Make the rule' }).click()
    await expect(form.getByRole('textbox', { name: 'Name', exact: true })).toHaveAccessibleDescription(/name/)
    await expect(form.getByRole('textbox', { name: 'URL' })).toHaveAccessibleDescription(/https:\/\/bot\.example\/hook/)
    await expectNothingSerious(page)
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill('stops')
    await form.getByRole('textbox', { name: 'URL' }).fill(receiver.url)
    await expect(form.getByRole('region', { name: 'Preview' })).toContainText('simulated')
    await form.getByRole('button', { name: 'Make the rule' }).click()
    const saved = page.getByRole('region', { name: 'Saved' })
    await expect(saved).toContainText('it is not shown again')
    secret = (await saved.getByRole('code').textContent()) ?? ''
    expect(secret).toMatch(/^whsec_/)
    await expectNothingSerious(page, 'main')
    await saved.getByRole('button', { name: 'I have kept it' }).click()
    await expect(page.getByText(secret)).toHaveCount(0)
  })

  await test.step('a test really sends', async () => {
    await rule(page, 'stops').getByRole('button', { name: 'Test' }).click()
    const tested = page.getByRole('status', { name: 'Test of stops' })
    await expect(tested).toContainText(/Webhook\s*delivered\s*204\s*\d+ ms/)
    await expect(tested).toContainText(/Browser\s*delivered/)
    expect(receiver.received.map(({ body }) => body.type)).toEqual(['test'])
    expect(receiver.received.every((each) => each.signedWith(secret))).toBe(true)
  })

  await test.step('what it watches rings the bell, is shown once, and arrives signed', async () => {
    const list = page.getByRole('region', { name: 'Alerts' })
    await page.getByRole('button', { name: '1 new alert', exact: true }).click()
    await expect(list.getByRole('listitem')).toContainText('stops')
    await page.keyboard.press('Escape')
    await expect(page.getByRole('button', { name: 'No new alerts' })).toBeVisible()
    await server.rest.pause({ asset: 'BTC', reason: 'wrong prices' })
    await page.getByRole('button', { name: '1 new alert', exact: true }).click()
    const alert = list.getByRole('listitem').first()
    await expect(alert).toContainText(/BTC.*simulated.*paused/s)
    await expect(alert.getByRole('link')).toHaveAttribute('href', /\/assets\/BTC/)
    await expectNothingSerious(page, '[aria-label="Alerts"]')
    await page.keyboard.press('Escape')
    await expect.poll(() => receiver.texts('pause')).toHaveLength(1)
    expect(receiver.received.every((each) => each.signedWith(secret))).toBe(true)
    expect(receiver.received.at(-1)?.body).toMatchObject({ asset: 'BTC', market: 'simulated' })
    const told = (await shown(page)).filter((text) => text.includes('paused'))
    expect(told).toEqual([expect.stringMatching(/^evt_\w+: BTC: stops \(simulated\): /)])
  })

  await test.step('switched off, it tells nothing', async () => {
    await rule(page, 'stops').getByRole('switch').click()
    await expect(rule(page, 'stops').getByRole('switch')).not.toBeChecked()
    await expect(rule(page, 'stops')).toContainText('off')
    await server.rest.resume({ asset: 'BTC', reason: 'right prices' })
    await rule(page, 'stops').getByRole('switch').click()
    await expect(rule(page, 'stops').getByRole('switch')).toBeChecked()
    await expect(rule(page, 'stops').getByRole('switch')).toBeEnabled()
  })

  await test.step('it is edited: kept secrets stay, and its text is its own', async () => {
    await page.getByRole('button', { name: 'Edit stops' }).click()
    const form = page.getByRole('form', { name: 'Rule stops' })
    await expect(form.getByText('http://127.0.0.1')).toContainText('/***')
    await form.getByText('Text of your own').click()
    await form.getByRole('textbox', { name: 'Text', exact: true }).fill('Attention, ')
    await form.getByRole('button', { name: 'Insert asset' }).click()
    await expect(form.getByRole('region', { name: 'Preview' })).toContainText('Attention, BTC')
    await form.getByRole('textbox', { name: 'Text', exact: true }).press('End')
    await page.keyboard.type(' {{assett')
    await expect(form.getByRole('region', { name: 'Preview' })).toContainText('No preview')
    await expect(form.getByRole('region', { name: 'Preview' })).not.toContainText('Attention, BTC')
    await page.keyboard.type('}}')
    await expect(form.getByRole('region', { name: 'Preview' })).toContainText("'asset'")
    for (let typed = 0; typed < ' {{assett}}'.length; typed++) await page.keyboard.press('Backspace')
    await expect(form.getByRole('region', { name: 'Preview' })).toContainText('Attention, BTC')
    await page.keyboard.press('Escape')
    const question = page.getByRole('dialog', { name: 'Discard what you typed?' })
    await expectNothingSerious(page, '[role="dialog"]')
    await question.getByText('Go on editing').click()
    await expect(question).toHaveCount(0)
    await page.getByRole('navigation', { name: 'Views of the alerts' }).getByRole('link', { name: 'Rules' }).click()
    await expect(rule(page, 'stops')).toContainText('You have edited it and not saved that')
    const asked = page.waitForEvent('dialog')
    await page.evaluate(() => void setTimeout(() => location.reload()))
    const dialog = await asked
    expect(dialog.type()).toBe('beforeunload')
    await dialog.dismiss()
    await page.getByRole('button', { name: 'Edit stops' }).click()
    await expect(page.getByText('What you typed before and did not save is here again')).toBeVisible()
    await expect(form.getByRole('textbox', { name: 'Text', exact: true })).toHaveValue('Attention, {{asset}}')
    await form.getByRole('button', { name: 'Save' }).click()
    await expect(page.getByRole('region', { name: 'Saved' })).not.toContainText('whsec_')
    await server.rest.pause({ asset: 'ETH', reason: 'wrong prices' })
    await expect.poll(() => receiver.texts('pause').at(-1)).toBe('[simulated] Attention, ETH')
    expect(receiver.texts('pause'), 'nothing was told while it was off').toHaveLength(2)
    expect(receiver.received.at(-1)?.signedWith(secret)).toBe(true)
  })

  await test.step('a message that waits is told at its rule, and tried at once when the receiver is back', async () => {
    receiver.status = 503
    await server.rest.resume({ asset: 'ETH', reason: 'right prices' })
    await expect.poll(() => receiver.texts('pause')).toHaveLength(3)
    await visit(page, '/alerts/deliveries')
    await visit(page, '/alerts')
    const told = rule(page, 'stops').getByRole('list', { name: 'Not arrived of stops' })
    await expect(told).toContainText(/Webhook has failed for.*503 the bot is away; next attempt in/s)
    await expectNothingSerious(page, 'main')
    await page.getByRole('button', { name: 'Edit stops' }).click()
    await expect(page.getByRole('main').getByRole('list', { name: 'Not arrived of stops' })).toContainText('503')
    await page.getByRole('main').getByRole('link', { name: 'Deliveries', exact: true }).last().click()
    const late = page.getByRole('row').filter({ hasText: 'Attention, ETH' })
    await expect(late).toContainText(/retrying.*503/s)
    receiver.status = 204
    await late.getByRole('button', { name: /^Try now/ }).click()
    await expect(late).toHaveCount(0)
    await visit(page, '/alerts')
    await expect(told).toHaveCount(0)
  })

  await test.step('a receiver that is gone switches it off; what did not arrive is sent again', async () => {
    receiver.status = 410
    await server.rest.pause({ asset: 'SOL', reason: 'wrong prices' })
    await visit(page, '/alerts/deliveries?status=dead')
    const dead = page.getByRole('row').filter({ hasText: 'Attention, SOL' })
    await expect(dead).toContainText(/given up.*Webhook.*410/s)
    await expectNothingSerious(page, 'main')
    await visit(page, '/alerts')
    await expect(rule(page, 'stops')).toContainText(/410 Gone/)
    receiver.status = 204
    await rule(page, 'stops').getByRole('switch').click()
    await expect(rule(page, 'stops')).not.toContainText(/410 Gone/)
    const [first] = receiver.received.slice(-1)
    await visit(page, '/alerts/deliveries?status=dead')
    await dead.getByRole('button', { name: /^Resend/ }).click()
    await expect(dead).toHaveCount(0)
    await page.getByRole('combobox', { name: 'Status' }).selectOption('delivered')
    await expect(dead.filter({ hasText: 'Webhook' })).toContainText(/delivered.*204/s)
    expect(receiver.received.at(-1)?.id, 'the same alert').toBe(first?.id)
  })

  await test.step('the history says what became of the rule, and it can be deleted', async () => {
    await visit(page, '/alerts')
    await page.getByRole('button', { name: 'Delete stops' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await expect(page.getByText('There are no rules yet')).toBeVisible()
    await visit(page, '/history')
    expect(bells, 'connections of the bell, over all pages').toHaveLength(1)
    const versions = page
      .getByRole('main')
      .getByRole('listitem')
      .filter({ has: page.getByRole('heading') })
    await expect(versions.first()).toContainText('alert stops deleted by')
    await expect(versions.filter({ hasText: 'alert stops switched off by' })).not.toHaveCount(0)
    await expect(versions.filter({ hasText: 'alert stops' }).filter({ hasText: 'in force' })).toHaveCount(0)
    await expect(versions.filter({ hasText: 'alert stops made by' })).toContainText(
      'Paused or resumed; to Browser, Webhook',
    )
  })
})
