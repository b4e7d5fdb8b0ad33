import type { AssetData, DecisionPreview } from 'vivienne-client'
import { acknowledged, numberField, review, save, unsaved } from './configuring.ts'
import { full } from './sizes.ts'
import { expect, type Page, test } from './test.ts'
import { visit } from './visit.ts'
import { REFUSED } from './watch.ts'

const BANG = 'settings.state_threshold_bang'

function inForce(state: AssetData) {
  const agent = state.agents.VivienneAgent
  if (agent === undefined) throw new Error('The state has no VivienneAgent')
  return agent.config
}

test('an edit of every kind of field is in the state that follows its acknowledgement, in the history, and can be undone', async ({
  page,
  server,
  stream,
}) => {
  await page.goto('/assets/BTC')
  await page.getByRole('button', { name: 'Name for your changes' }).click()
  await page.getByLabel('Your name').fill('ana')
  await page.getByLabel('Your name').press('Enter')

  await test.step('a number, a whole number, a fraction, a switch and a note', async () => {
    await numberField(page, 'Bang threshold').fill('83.5')
    await page.getByRole('button', { name: 'Indicators', exact: true }).click()
    await numberField(page, 'EMA fast').fill('7')
    await numberField(page, 'Volatility squeeze threshold').fill('0.0175')
    await expect(page.getByText('= 1.75 %')).toBeVisible()
    await numberField(page, 'Volatility squeeze threshold').fill('1,75 %')
    await expect(page.getByText('= 0.0175')).toBeVisible()
    await page.getByRole('switch', { name: 'Trend filter' }).click()
    await page.getByRole('button', { name: 'Note on Settings: edit' }).click()
    await page.getByRole('textbox', { name: 'Note on Settings' }).fill('calm weeks: fewer, better entries')
    const { version } = await save(page, 'fewer, better entries')
    await expect(review(page)).toBeHidden()
    const config = inForce(await stream.until('BTC', ({ config_version }) => config_version === version))
    expect(config.settings.state_threshold_bang).toBe(83.5)
    expect(config.indicators.ema_fast_period).toBe(7)
    expect(config.filters.volatility.volatility_squeeze_threshold).toBe(0.0175)
    expect(config.filters.trend.enable_trend_filter_for_entry).toBe(false)
    expect(config.settings.description).toBe('calm weeks: fewer, better entries')
  })

  await test.step('under the name that was given', async () => {
    expect(await server.lastChange()).toMatchObject({
      author: 'ana',
      reason: 'fewer, better entries',
      asset_symbol: 'BTC',
    })
  })

  await test.step('undone in one step', async () => {
    const { version } = await server.lastChange()
    const said = page.getByRole('status').filter({ hasText: `Version ${version} in force` })
    // The panel says it; the frame only where the panel is out of sight.
    await said.last().scrollIntoViewIfNeeded()
    await expect(said).toHaveCount(1)
    await page.getByRole('tab', { name: 'History' }).click()
    const frame = page.getByRole('region', { name: 'Connection' })
    await expect(frame.getByRole('button', { name: 'Undo' })).toBeVisible()
    await server.change({ settings: { state_threshold_bang: 81 } }, 'SOL', 'a newer one is in force')
    await expect(frame.getByRole('button', { name: 'Undo' }), 'no older version is said to be in force').toBeHidden()
    await page.getByRole('tab', { name: 'Configuration' }).click()
    await expect(frame.getByRole('button', { name: 'Undo' })).toBeHidden()
    await said.getByRole('button', { name: 'Undo' }).click()
    await expect(numberField(page, 'Bang threshold')).toHaveValue('80')
    await expect
      .poll(async () => (await server.rest.active('BTC')).config)
      .toMatchObject({
        settings: { state_threshold_bang: 80 },
        indicators: { ema_fast_period: 9 },
      })
  })

  await test.step('a size that is rarely meant, after a tick', async () => {
    await numberField(page, 'Position size (bang)').fill('13')
    await unsaved(page).getByRole('button', { name: 'Review' }).click()
    await expect(review(page).getByRole('region', { name: 'Warnings' })).toContainText('from 0.5 % to 13 % of equity')
    await expect(review(page).getByRole('button', { name: 'Save' })).toBeDisabled()
    await review(page).getByRole('checkbox', { name: 'I mean this value' }).check()
    const { version } = await acknowledged(page, 'partial-update', () =>
      review(page).getByRole('button', { name: 'Save' }).click(),
    )
    const state = await stream.until('BTC', ({ config_version }) => config_version === version)
    expect(inForce(state).settings.position_size_bang).toBe(13)
    await expect(review(page)).toBeHidden()
  })

  await test.step('an effect that does not come is said, and it can be saved without', async () => {
    await page.route('**/preview?*', () => {})
    await numberField(page, 'Bang threshold').fill('85')
    await unsaved(page).getByRole('button', { name: 'Review' }).click()
    await review(page).getByLabel('Reason').fill('without a look')
    await expect(review(page)).toContainText('Waiting for the effect on past bars')
    await expect(review(page).getByRole('button', { name: 'Save', exact: true })).toBeDisabled()
    await acknowledged(page, 'partial-update', () =>
      review(page).getByRole('button', { name: 'Go ahead without it' }).click(),
    )
    expect(await server.lastChange()).toMatchObject({ author: 'ana', reason: 'without a look', asset_symbol: 'BTC' })
  })
})

test('what is refused is said beside its field; the review and reset say what a value becomes', async ({
  page,
  server,
  watch,
}) => {
  watch.allow(REFUSED)
  await page.goto('/configuration?asset=BTC')
  await test.step('what is in force, written otherwise, is no change once the field is left', async () => {
    const field = numberField(page, 'Bang threshold')
    const shown = await field.inputValue()
    await field.fill(`${shown}.0`)
    await field.blur()
    await expect(field).toHaveValue(shown)
    await expect(unsaved(page)).toBeHidden()
  })
  await test.step('a value out of bounds, in the words of the server', async () => {
    const { version } = await server.rest.active('BTC')
    const verdict = await server.rest.validate({ settings: { state_threshold_bang: 105 } }, { asset: 'BTC' })
    const sentence = verdict.errors?.[0]?.message ?? ''
    expect(sentence).toContain('between 0 and 100')

    const field = numberField(page, 'Bang threshold')
    await field.fill('105')
    await expect(field).toHaveAccessibleDescription(new RegExp(`^${sentence}`))
    await expect(field).toHaveAttribute('aria-invalid', 'true')
    await field.press('Enter')
    await expect(review(page)).toBeHidden()
    await expect(unsaved(page)).toContainText('1 problem')
    await expect(field).toHaveValue('105')
    expect((await server.rest.active('BTC')).version).toBe(version)

    await field.fill('x')
    await expect(field).toHaveAccessibleDescription(/must be a number/)
    await field.fill('85')
    await expect(field).toHaveAttribute('aria-invalid', 'false')
  })
  await test.step('a value that breaks a rule with another one', async () => {
    const verdict = await server.rest.validate({ settings: { state_threshold_aim: 90 } }, { asset: 'BTC' })
    const [problem] = verdict.errors ?? []
    expect(problem?.message).toMatch(/threshold/)

    await numberField(page, 'Bang threshold').fill('80')
    await numberField(page, 'Aim threshold').fill('90')
    await expect(page.getByText(problem?.message ?? '').first()).toBeVisible()
    await unsaved(page)
      .getByRole('button', { name: /^Show .*problem/ })
      .click()
    await expect(review(page)).toBeHidden()
    // What makes the pair right makes the sentence go.
    await numberField(page, 'Bang threshold').fill('95')
    await expect(page.getByText(problem?.message ?? '')).toBeHidden()
    await expect(unsaved(page).getByRole('button', { name: 'Review' })).toBeEnabled()
    await test.step('what was discarded comes back', async () => {
      await unsaved(page).getByRole('button', { name: 'Discard' }).click()
      await expect(numberField(page, 'Aim threshold')).toHaveValue('70')
      await page.getByRole('button', { name: 'Undo' }).click()
      await expect(numberField(page, 'Aim threshold')).toHaveValue('90')
      await expect(unsaved(page)).toContainText('2 changes')
    })
    await unsaved(page).getByRole('button', { name: 'Discard' }).click()
  })
  await test.step('the review says from what to what, for whom, and what it would have done', async () => {
    await server.change({ settings: { state_threshold_loaded: 40 } }, 'ETH')
    await visit(page, '/configuration')
    await numberField(page, 'Loaded threshold').fill('20')
    // The answers that the page gets: a moment later a bar may have closed.
    const previews = ['BTC', 'SOL'].map(async (asset): Promise<DecisionPreview> => {
      const answer = await page.waitForResponse((response) => response.url().includes(`/${asset}/preview?`))
      return answer.json()
    })
    await unsaved(page).getByRole('button', { name: 'Review' }).click()
    const row = review(page).getByRole('row', { name: /Loaded threshold/ })
    await expect(row.getByRole('cell')).toHaveText([/^50/, '', /^20/])
    await expect(row).toContainText('ETH keeps 40')
    await expect(review(page)).toContainText(/Affects BTC, SOL.*Does not affect ETH/)
    const shown = review(page).getByRole('region', { name: 'Effect on past bars' })
    const [btc = 0, sol = 0] = (await Promise.all(previews)).map(({ different_bars }) => different_bars ?? 0)
    expect(btc).toBeGreaterThan(0)
    await expect(shown).toContainText(new RegExp(`${btc + sol} of the last [\\d,]+ decided bars of 2 assets`))
    await expect(shown.getByRole('row', { name: /^BTC/ })).toContainText(String(btc))
    await shown.getByRole('button', { name: 'BTC' }).click()
    await expect(shown).toContainText(new RegExp(`${btc} of the last \\d+ decided bars .* of BTC`))

    await page.keyboard.press('Escape')
    await expect(review(page)).toBeHidden()
    await expect(numberField(page, 'Loaded threshold')).toHaveValue('20')
    expect((await server.rest.active()).config.settings.state_threshold_loaded).toBe(50)

    await test.step('made for a few of them, as one change', async () => {
      await unsaved(page).getByRole('button', { name: 'Review' }).click()
      await review(page).getByRole('button', { name: 'Only for some assets' }).click()
      for (const asset of ['ETH', 'SOL']) await review(page).getByLabel(asset, { exact: true }).check()
      await expect(review(page)).toContainText('1 change for ETH and SOL')
      await acknowledged(page, 'several', () => review(page).getByRole('button', { name: 'Save', exact: true }).click())
      await expect(unsaved(page)).toBeHidden()
      for (const [asset, value] of [
        ['BTC', 50],
        ['ETH', 20],
        ['SOL', 20],
      ] as const)
        expect((await server.rest.active(asset)).config.settings.state_threshold_loaded).toBe(value)
    })
    await test.step('and undone for them with one request; not after one of them was changed again', async () => {
      const notice = page.getByRole('main').getByRole('status').filter({ hasText: 'saved for ETH and SOL' })
      await acknowledged(page, 'undo', () => notice.getByRole('button', { name: 'Undo' }).click())
      expect((await server.rest.active('ETH')).config.settings.state_threshold_loaded).toBe(40)
      expect((await server.rest.active('SOL')).config.settings.state_threshold_loaded).toBe(50)
      await server.change({ settings: { state_threshold_loaded: 33 } }, 'SOL', 'calm week')
      const undone = page.getByRole('main').getByRole('status').filter({ hasText: 'undone for ETH and SOL' })
      await undone.getByRole('button', { name: 'Redo' }).click()
      await expect(undone.getByRole('alert')).toContainText(
        /Not undone: SOL changed again.*by somebody else.*calm week/,
      )
      expect((await server.rest.active('ETH')).config.settings.state_threshold_loaded).toBe(40)
    })
  })
  await test.step('reset says what the value becomes, and makes it that', async () => {
    await server.change({ settings: { state_threshold_bang: 77 } })
    await server.change({ settings: { state_threshold_bang: 85 } }, 'BTC')
    await visit(page, '/configuration?asset=BTC')
    await expect(numberField(page, 'Bang threshold')).toHaveValue('85')
    await page.getByRole('button', { name: 'Reset Bang threshold to 77 (global)' }).click()
    await expect(
      review(page)
        .getByRole('row', { name: /Bang threshold/ })
        .getByRole('cell'),
    ).toHaveText([/^85/, '', /^77/])
    await acknowledged(page, 'reset', () => review(page).getByRole('button', { name: 'Reset' }).click())
    await expect(numberField(page, 'Bang threshold')).toHaveValue('77')
    const { config, sources } = await server.rest.active('BTC')
    expect([config.settings.state_threshold_bang, sources[BANG]]).toEqual([77, 'global'])

    await test.step('what another asset sets is copied', async () => {
      await server.change({ settings: { state_threshold_aim: 66 } }, 'ETH')
      await page.getByLabel('Copy the values of another asset to BTC').selectOption('ETH')
      const row = review(page).getByRole('row', { name: /Aim threshold/ })
      await expect(row.getByRole('cell')).toHaveText([/^70/, '', /^66/])
      await acknowledged(page, 'several', () => review(page).getByRole('button', { name: 'Copy', exact: true }).click())
      await expect(numberField(page, 'Aim threshold')).toHaveValue('66')
    })
  })
})

/** Changes by others while somebody types. */
const UPDATES = full ? 100 : 25

test('what somebody types survives many incoming updates, with caret and focus', async ({ page, server, stream }) => {
  await page.goto('/configuration?asset=BTC')
  const field = numberField(page, 'Bang threshold')
  await field.click()
  await field.press('End')
  await field.pressSequentially('.25')
  await field.press('ArrowLeft')
  const element = await field.elementHandle()

  const before = stream.states.length
  for (let change = 0; change < UPDATES; change++) {
    await server.change({ settings: { position_size_bang: change }, signal_weights: { rsi: change / UPDATES } }, 'BTC')
  }
  await expect.poll(() => stream.states.length - before).toBeGreaterThan(UPDATES)
  await expect(numberField(page, 'Position size (bang)')).toHaveValue(String(UPDATES - 1))

  await expect(field).toBeFocused()
  await expect(field).toHaveValue('80.25')
  expect(await element?.evaluate((input) => (input as HTMLInputElement).selectionStart)).toBe(4)
  await page.keyboard.type('1')
  await expect(field).toHaveValue('80.215')
})

test('two windows edit the same fields: both values are shown; mine is kept, theirs is taken; what is saved in the last moment refuses the change', async ({
  page,
  anotherWindow: other,
  server,
  watch,
}) => {
  watch.allow(REFUSED)
  await page.goto('/configuration?asset=BTC')
  await numberField(page, 'Bang threshold').fill('85')
  await numberField(page, 'Aim threshold').fill('71')
  await other.goto('/configuration?asset=BTC')
  await numberField(other, 'Bang threshold').fill('82')
  await numberField(other, 'Aim threshold').fill('72')
  await save(other)

  const conflict = page.getByRole('group', { name: 'Bang threshold was changed elsewhere' })
  await expect(conflict).toContainText('from 80 to 82; you typed 85')
  await expect(conflict).toContainText(/By anonymous, .*, version \d+, without a reason/)
  await expect(numberField(page, 'Bang threshold')).toHaveValue('85')
  await page.getByRole('button', { name: 'Take theirs: 72' }).click()
  await expect(numberField(page, 'Aim threshold')).toHaveValue('72')
  await conflict.getByRole('button', { name: 'Keep mine: 85' }).click()
  await expect(conflict).toBeHidden()
  const { changed } = await save(page)
  expect(changed).toEqual([{ path: BANG, old: 82, new: 85 }])
  await expect(unsaved(page)).toBeHidden()
  const { settings } = (await server.rest.active('BTC')).config
  expect(settings).toMatchObject({ state_threshold_bang: 85, state_threshold_aim: 72 })

  await test.step('something else saved in the last moment refuses the change, keeps what was typed, and can be repeated', async () => {
    await numberField(page, 'Bang threshold').fill('86')
    await page.route(
      '**/partial-update',
      async (route) => {
        await server.change({ settings: { position_size_bang: 0.9 } }, 'BTC')
        await route.continue()
      },
      { times: 1 },
    )
    await unsaved(page).getByRole('button', { name: 'Review' }).click()
    const button = review(page).getByRole('button', { name: 'Save' })
    await button.click()
    await expect(review(page).getByRole('alert')).toContainText('the configuration has changed since you read it')
    await expect(review(page).getByRole('alert')).toContainText('Position size (bang)')
    await acknowledged(page, 'partial-update', () => button.click())
    await expect(review(page)).toBeHidden()
    const { settings } = (await server.rest.active('BTC')).config
    expect(settings).toMatchObject({ state_threshold_bang: 86, position_size_bang: 0.9 })
  })
})

test('what was typed survives another page and a reload, and what was changed meanwhile is marked', async ({
  page,
  server,
}) => {
  await page.goto('/configuration?asset=BTC')
  await numberField(page, 'Bang threshold').fill('85')
  await numberField(page, 'Aim threshold').fill('71.')
  await visit(page, '/history')
  await expect(page.getByRole('heading', { name: 'History', level: 1 })).toBeAttached()
  await server.change({ settings: { state_threshold_bang: 82 } }, 'BTC')
  await visit(page, '/configuration?asset=BTC')
  await expect(numberField(page, 'Aim threshold')).toHaveValue('71.')
  const conflict = page.getByRole('group', { name: 'Bang threshold was changed elsewhere' })
  await expect(conflict).toContainText('from 80 to 82; you typed 85')
  await page.reload()
  await expect(conflict).toContainText('from 80 to 82; you typed 85')
  await conflict.getByRole('button', { name: 'Keep mine: 85' }).click()
  const { changed } = await save(page)
  expect(changed).toEqual([
    { path: BANG, old: 82, new: 85 },
    { path: 'settings.state_threshold_aim', old: 70, new: 71 },
  ])
  await page.reload()
  await expect(numberField(page, 'Bang threshold')).toHaveValue('85')
  await expect(unsaved(page)).toBeHidden()
})

test('a value is changed and saved with the keyboard alone', async ({ page, server, stream }) => {
  await page.goto('/configuration?asset=BTC')
  await expect(numberField(page, 'Bang threshold')).toBeVisible()
  await page.keyboard.press('/')
  await page.keyboard.type('bang threshold')
  await expect(page.getByRole('spinbutton')).toHaveCount(1)
  for (let tab = 0; tab < 20 && !(await isFocused(page)); tab++) await page.keyboard.press('Tab')
  await expect(numberField(page, 'Bang threshold')).toBeFocused()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Shift+ArrowUp')
  const typed = Number(await numberField(page, 'Bang threshold').inputValue())
  expect(typed).toBeGreaterThan(80)
  await page.keyboard.press('Enter')
  await expect(review(page).getByLabel('Reason')).toBeFocused()
  await page.keyboard.type('by hand')
  // Before it is known what comes of it, Enter saves nothing.
  await expect(review(page).getByRole('button', { name: 'Save', exact: true })).toBeEnabled()
  const { version } = await acknowledged(page, 'partial-update', () => page.keyboard.press('Enter'))
  const state = await stream.until('BTC', ({ config_version }) => config_version === version)
  expect(inForce(state).settings.state_threshold_bang).toBe(typed)
  expect(await server.lastChange()).toMatchObject({ version, reason: 'by hand' })
})

async function isFocused(page: Page): Promise<boolean> {
  return page.evaluate(() => document.activeElement?.getAttribute('role') === 'spinbutton')
}
