import { acknowledged, numberField, review } from './configuring.ts'
import { expect, type Locator, type Page, test } from './test.ts'

function revision(page: Page, version: number): Locator {
  return page.getByRole('listitem', { name: `Version ${version}`, exact: true })
}

test('the history says who changed or paused what, when, over which channel and why; versions are compared', async ({
  page,
  server,
}) => {
  await test.step('changes over every channel', async () => {
    await page.goto('/history')
    const rest = await server.change({ settings: { state_threshold_bang: 84 } }, 'BTC', 'fewer, better entries')
    await page.evaluate(async () => {
      const socket = new WebSocket(`ws://${location.host}/ws/state`)
      const send = (message: object) => socket.send(JSON.stringify(message))
      const answered = new Promise<void>((resolve) => {
        let answers = 0
        socket.addEventListener('message', ({ data }) => {
          if (!JSON.parse(data).type.endsWith('_response')) return
          answers++
          if (answers === 2) resolve()
        })
      })
      await new Promise((resolve) => socket.addEventListener('open', resolve))
      send({ type: 'config_update', asset: 'ETH', config: { aim_threshold: 66 }, author: 'ana', reason: 'calm week' })
      send({ type: 'control', strategy: 'general_parameters', params: { loaded_threshold: 44, author: 'bot' } })
      await answered
      socket.close()
    })
    const [control, websocket] = (await server.rest.history({ limit: 2 })).history

    await expect(revision(page, rest.version)).toContainText(/BTC.*changed by somebody else.*REST/)
    await expect(revision(page, rest.version)).toContainText('fewer, better entries')
    await expect(revision(page, rest.version)).toContainText('Bang threshold 80 → 84')
    await expect(revision(page, websocket?.version ?? 0)).toContainText(/ETH.*changed by ana.*WebSocket/)
    await expect(revision(page, websocket?.version ?? 0)).toContainText('calm week')
    await expect(revision(page, control?.version ?? 0)).toContainText(/all assets.*changed by bot.*control message/i)
    const time = revision(page, rest.version).getByRole('time').or(revision(page, rest.version).locator('time'))
    await expect(time.first()).toHaveText(/^(now|\d+ s ago)$/)
    await expect(time.first()).toHaveAttribute('title', / UTC$/)

    await page.getByLabel('Author').fill('ana')
    await expect(revision(page, rest.version)).toHaveCount(0)
    await expect(revision(page, websocket?.version ?? 0)).toBeVisible()

    await test.step('found by reason, value and day, in the address', async () => {
      await page.getByRole('button', { name: 'Clear', exact: true }).click()
      await page.getByLabel('Reason').fill('BETTER')
      await page.getByLabel('Value', { exact: true }).selectOption('settings.state_threshold_bang')
      await expect(revision(page, websocket?.version ?? 0)).toHaveCount(0)
      await expect(revision(page, rest.version)).toBeVisible()
      await page.getByLabel('Up to this day').fill('2020-01-31')
      await expect(page.getByText('No change matches')).toBeVisible()
      // In the order in which they were filled in, as far as that took its time.
      for (const part of ['field=settings.state_threshold_bang', 'reason=BETTER', 'until=2020-01-31'])
        await expect(page).toHaveURL(new RegExp(part))
      await page.getByRole('button', { name: 'Clear', exact: true }).first().click()
    })
  })
  await test.step('pauses and resumptions, with nothing to roll back to', async () => {
    await page.mouse.move(0, 0) // the list keeps still under the pointer
    const change = await server.change({ settings: { state_threshold_bang: 84 } }, 'BTC')
    const paused = await server.rest.pause({ asset: 'BTC', author: 'ana', reason: 'wrong prices' })
    const resumed = await server.rest.resume({ asset: 'BTC', author: 'ben' })
    await expect(revision(page, paused.version)).toContainText(/BTC.*paused by ana/)
    await expect(revision(page, paused.version)).toContainText('wrong prices')
    await expect(revision(page, resumed.version)).toContainText(/BTC.*resumed by ben/)
    for (const { version } of [paused, resumed]) {
      await expect(revision(page, version).getByRole('button')).toHaveCount(0)
      await expect(revision(page, version).getByRole('checkbox')).toHaveCount(0)
      await expect(revision(page, version)).not.toContainText('No value')
    }
    await expect(revision(page, change.version)).toContainText('in force')
  })
  await test.step('a change of several assets is undone with one click', async () => {
    const { version } = await server.rest.several(['ETH', 'SOL'], {
      config: { settings: { state_threshold_bang: 88 } },
    })
    await page.mouse.move(0, 0)
    await acknowledged(page, 'undo', () =>
      page.getByRole('button', { name: `Undo versions ${version - 1} to ${version}` }).click(),
    )
    await expect(revision(page, version + 2)).toContainText(`Undo of version ${version}`)
    await expect(page.getByRole('region', { name: 'Connection' })).toContainText('2 values undone for ETH and SOL')
    expect((await server.rest.active('ETH')).config.settings.state_threshold_bang).toBe(80)
    await page.mouse.move(0, 0)
  })
  await test.step('two versions side by side, at an address of their own', async () => {
    const first = await server.change({ settings: { state_threshold_bang: 84, state_threshold_aim: 60 } }, 'BTC')
    const second = await server.change({ settings: { state_threshold_bang: 91 }, signal_weights: { rsi: 0.25 } }, 'BTC')
    for (const { version } of [first, second]) await page.getByLabel(`Compare version ${version}`).check()
    await page.getByRole('button', { name: `Compare ${first.version} and ${second.version}` }).click()
    const compared = async () => {
      await expect(review(page)).toContainText(`Version ${first.version} and version ${second.version}`)
      await expect(
        review(page)
          .getByRole('row', { name: /Bang threshold/ })
          .getByRole('cell'),
      ).toHaveText([/^84/, /^91/])
      await expect(review(page).getByRole('row', { name: /rsi/ }).getByRole('cell')).toHaveText([
        /^\S+, inherited \(default\)$/,
        /^0\.25/,
      ])
      await expect(review(page).getByRole('row', { name: /Aim threshold/ })).toHaveCount(0)
    }
    await compared()
    await page.reload()
    await compared()
    await page.keyboard.press('Escape')
    await expect(review(page)).toBeHidden()
  })
})

test('a former version is in force again after a look at what that changes', async ({ page, server }) => {
  const first = await server.change({ settings: { state_threshold_bang: 84 } }, 'BTC')
  const second = await server.change({ settings: { state_threshold_bang: 91 } }, 'BTC')
  await page.goto('/assets/BTC?panel=history')
  await expect(revision(page, second.version)).toContainText('in force')
  await revision(page, first.version).getByRole('button', { name: 'Roll back to this' }).click()
  await expect(
    review(page)
      .getByRole('row', { name: /Bang threshold/ })
      .getByRole('cell'),
  ).toHaveText([/^91/, '', /^84/])
  await expect(review(page)).toContainText(`To version ${first.version} by somebody else`)

  await page.keyboard.press('Escape')
  await expect(review(page)).toBeHidden()
  expect((await server.rest.active('BTC')).version).toBe(second.version)

  await revision(page, first.version).getByRole('button', { name: 'Roll back to this' }).click()
  await review(page).getByLabel('Reason').fill('too few entries')
  const made = await acknowledged(page, 'activate', () =>
    review(page).getByRole('button', { name: 'Roll back' }).click(),
  )
  await expect(revision(page, made.version)).toContainText(`rolled back to version ${first.version}`)
  await expect(revision(page, made.version)).toContainText('too few entries')
  expect((await server.rest.active('BTC')).config.settings.state_threshold_bang).toBe(84)
  await page.getByRole('tab', { name: 'Configuration' }).click()
  await expect(numberField(page, 'Bang threshold')).toHaveValue('84')
})
