import type { AssetData, BarRecord, DecisionRecord, PaperAccount, Setups, SignalPage } from 'vivienne-client'
import { expectNothingSerious } from './axe.ts'
import { numberField, save } from './configuring.ts'
import type { RunningServer } from './server.ts'
import { decision, rounded, shownPrice, wasSent } from './stream.ts'
import { expect, type Page, type Request, test } from './test.ts'
import { visit } from './visit.ts'

test('prices move on as the stream sends them, and changes made here and elsewhere are marked on the chart', async ({
  page,
  server,
  stream,
}) => {
  const priceMovesOn = async () => {
    const seen = new Set<string>()
    await expect
      .poll(async () => seen.add((await shownPrice(page).textContent()) ?? '').size, { intervals: [200] })
      .toBeGreaterThan(3)
    for (const text of seen) expect(wasSent(text, stream.states), `${text} was sent`).toBe(true)
  }
  await page.goto('/assets/BTC')
  await expect(shownPrice(page)).toBeVisible()
  await expect(page.getByRole('list', { name: 'Configuration changes on the chart' })).toBeAttached()
  const changesAreMarked = async () => {
    await test.step('a change made elsewhere', async () => {
      const { version } = await server.change({ settings: { state_threshold_bang: 86 } })
      await expect(mark(page, version)).toBeVisible()
      await expect(numberField(page, 'Bang threshold')).toHaveValue('86')
    })

    await test.step('a threshold changed in the form, which is in force within a second', async () => {
      await numberField(page, 'Bang threshold').fill('85')
      const { version } = await save(page, 'for the mark')
      const second = { timeout: 1_000 }
      await expect(mark(page, version)).toBeVisible(second)
      await expect(page.getByRole('button', { name: `v${version} in force` })).toBeVisible(second)
      await expect(page.getByRole('meter', { name: 'Confidence' })).toHaveAttribute(
        'aria-valuetext',
        /bang from 85/,
        second,
      )
      await stream.until('BTC', (state) => state.config_version === version, 1_000)

      await mark(page, version).click()
      const card = page.getByRole('article').filter({ hasText: `v${version}` })
      await expect(card).toContainText(/86 → 85/)
      await expect(card).toContainText('for the mark')
    })
  }
  await Promise.all([priceMovesOn(), changesAreMarked()])
})

/** Versions of one bar share a mark. */
function mark(page: Page, version: number) {
  return page.getByRole('button', { name: new RegExp(`^Version (\\d+, )*${version}(, \\d+)*:`) })
}

test.describe('on recorded markets that have ended', () => {
  test.use({
    serving: {
      flags: ['--speed', 'max'],
      recorded: {
        ODD: { seed: 3, minutes: 2_500 },
        EVEN: { seed: 10, minutes: 2_500 },
        // Fewer than an indicator needs.
        SHORT: { seed: 4, minutes: 500 },
      },
    },
  })

  test('reasons lead to their fields, and the page shows what the server sent', async ({ page, server, stream }) => {
    await page.goto('/')
    const data = decision(await stream.until('EVEN', (state) => decision(state).status === 'ended'))

    await test.step('a click on the blocker opens its field, ready to be typed into', async () => {
      expect(data.blocked_by.length).toBeGreaterThan(0)
      const blocking = data.explanation?.filters.find(({ id }) => id === data.blocked_by[0])
      const scenario = blocking?.scenarios.find(({ blocks }) => blocks)
      const path = scenario?.checks.find(({ path: field }) => field !== null)?.path
      const card = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'EVEN', exact: true }) })
      await card
        .getByRole('link', { name: blocking?.message ?? 'blocked' })
        .first()
        .click()
      await expect(page).toHaveURL((url) => url.pathname === '/assets/EVEN' && url.searchParams.get('field') === path)
      await expect(page.locator(`[data-path="${path}"] input`).first()).toBeFocused()
      await expect(page.locator(`[data-path="${path}"]`)).toBeInViewport()
    })

    await test.step('the page shows the decision, its reasons and the bars that the server sent', async () => {
      const { bars } = await server.rest.bars('EVEN', 1)
      const header = page.locator('main header').first()
      await expect(header).toContainText('replay ended')
      await expect(header).toContainText('Replay of recorded data')
      await expect(header).toContainText(data.raw_clarity_level)
      await expect(header.getByText('held')).toBeVisible()
      await expect(header).toContainText(data.side)
      await expect(header).toContainText(rounded(data.price))
      await expect(header.getByRole('meter')).toHaveAttribute(
        'aria-valuenow',
        String(Math.round(data.signal_confidence * 1_000) / 10),
      )

      const why = page.getByRole('region', { name: 'Why' })
      await expect(why.getByText(data.explanation?.summary ?? 'no explanation', { exact: false })).toBeVisible()
      for (const signal of data.explanation?.signals ?? []) {
        const row = why.getByRole('row').filter({ hasText: signal.measure })
        const part = (Math.abs(signal.contribution) * 100).toFixed(1)
        await expect(row.first()).toContainText(signal.direction === 0 ? 'no vote' : part)
      }
      const filters = why.getByRole('list', { name: 'States of the filters' }).getByRole('listitem')
      await expect(filters).toContainText(data.explanation?.filters.map(({ state }) => state) ?? [])

      const chart = page.getByRole('region', { name: 'Chart of EVEN' })
      await chart.getByRole('group').press('End')
      await chart.getByRole('group').press('ArrowLeft')
      await expect(chart).toContainText(rounded(bars[0]?.close))

      await test.step('panes have the figures that the decision used, and lead to their thresholds', async () => {
        await expect(chart.getByRole('button', { name: 'Confidence', pressed: true })).toBeVisible()
        await chart.getByRole('button', { name: 'RSI', exact: true }).click()
        await chart.getByRole('button', { name: 'MACD', exact: true }).click()
        await expect(page).toHaveURL((url) => url.searchParams.get('panes') === 'rsi,macd,confidence')
        const [rsi, macd] = await chart.getByRole('list', { name: 'Panes below the chart' }).getByRole('listitem').all()
        await expect(rsi ?? chart).toContainText(`RSI 14 ${bars[0]?.rsi?.toFixed(1)}`)
        await expect(macd ?? chart).toContainText(`${bars[0]?.macd_atr?.toFixed(2)} / `)
        await chart.getByRole('button', { name: 'Close RSI 14' }).click()
        await expect(page).toHaveURL((url) => url.searchParams.get('panes') === 'macd,confidence')
        await chart.getByRole('button', { name: /^Bang threshold 80 %: change it/ }).click()
        await expect(numberField(page, 'Bang threshold')).toBeFocused()
      })

      await test.step('bars are measured with the keys, and the zoom is in the address', async () => {
        const canvas = chart.getByRole('group')
        await canvas.press('m')
        for (let step = 0; step < 3; step++) await canvas.press('ArrowLeft')
        await expect(chart.getByRole('status').filter({ hasText: '−3 bars, 45 min' })).toBeVisible()
        await canvas.press('Escape')
        await expect(chart.getByText('−3 bars')).toBeHidden()
        await canvas.press('+')
        await expect(page).toHaveURL(/[?&]view=\d+(&|$)/)
      })

      await test.step('a longer timeframe is for looking, and says so', async () => {
        await chart.getByRole('combobox', { name: 'Timeframe to look at' }).selectOption('1h')
        await expect(chart.getByText('Decisions are made on 15m')).toBeVisible()
        await expect(page).toHaveURL(/[?&]timeframe=1h(&|$)/)
        await expect(chart.getByRole('button', { name: 'Decisions' })).toHaveCount(0)
      })

      await test.step('times are in UTC once that is chosen', async () => {
        const clock = String(data.price_time).slice(11, 16)
        await expect(header).not.toContainText(`, ${clock}`)
        await page.getByRole('button', { name: 'Times are in Europe/Berlin; switch to UTC' }).click()
        await expect(header).toContainText(`, ${clock}`)
      })
    })

    await test.step('a click on a threshold among the reasons opens its field', async () => {
      await visit(page, '/assets/EVEN?panel=none')
      await page
        .getByRole('region', { name: 'Why' })
        .getByRole('button', { name: /: change Bang threshold$/i })
        .click()
      await expect(numberField(page, 'Bang threshold')).toBeFocused()
    })

    await test.step('what two filters hold offers a button for each, which opens its field', async () => {
      const filters = {
        volatility: { volatility_squeeze_threshold: 0.39, volatility_breakout_threshold: 0.4 },
        levels: { levels_buffer_percent: 0.019 },
        underused_alpha: { retail_chop_trade_count_threshold: 0, retail_chop_avg_trade_size_threshold: 10_000_000 },
      }
      await server.change({ filters }, 'EVEN')
      const changesOf = (state: AssetData) => decision(state).explanation?.nearest_change?.changes ?? []
      const changes = changesOf(await stream.until('EVEN', (state) => changesOf(state).length > 1))
      const buttons = page.getByRole('region', { name: 'Why' }).getByRole('button', { name: /^Open / })
      await expect(buttons).toHaveCount(changes.length)
      for (const [place, { path }] of changes.entries()) {
        await buttons.nth(place).click()
        await expect(page.locator(`[data-path="${path}"] input`).first()).toBeFocused()
      }
    })

    await test.step('a level that is held moves nothing beside it', async () => {
      const header = page.locator('main header').first()
      const places: (number | undefined)[] = []
      for (const [lowest, word] of [
        [99, 'idle'],
        [0.1, 'held'],
      ] as const) {
        const [state_threshold_loaded, state_threshold_aim, state_threshold_bang] = [lowest, lowest + 0.1, lowest + 0.2]
        await server.change({ settings: { state_threshold_loaded, state_threshold_aim, state_threshold_bang } }, 'EVEN')
        await expect(header).toContainText(word)
        places.push((await header.getByRole('meter', { name: 'Confidence' }).boundingBox({ timeout: 20_000 }))?.x)
      }
      expect(places[1]).toBe(places[0])
    })

    await test.step('where nothing is decided yet, the page says so, why, and how far it is', async () => {
      const data = decision(await stream.until('SHORT', () => true))
      expect([data.status, data.status_reason_id]).toEqual(['warming_up', 'warming_up'])
      const { bars, needed } = data.history
      expect(bars).toBeLessThan(needed)
      await visit(page, '/assets/SHORT')
      await expect(page.locator('main header').first()).toContainText('warming up')
      await expect(page.getByText(data.status_reason ?? 'no reason').first()).toBeVisible()
      await expect(page.getByRole('progressbar', { name: `Warming up: ${bars} of ${needed} bars` })).toBeVisible()
      await expect(page.getByText('Nothing is decided')).toBeVisible()
    })

    await test.step('why it did not fire at some time is three clicks away, with the version then in force', async () => {
      await visit(page, '/')
      await page.getByRole('link', { name: 'EVEN', exact: true }).click()
      await page.getByLabel('Go to a day').fill('2026-01-02')
      const time = '2026-01-02T16:45:00.000Z'
      await pointAt(page, 'EVEN', '2 Jan 2026, 16:45 UTC')
      await page.mouse.down()
      await page.mouse.up()
      const why = page.getByRole('region', { name: /^Why, 2 Jan( 2026)?, 16:45$/ })
      const { decision: then, explanation } = await recorded<DecisionRecord>(server, `assets/EVEN/decisions/${time}`)
      expect(then.config_version, 'before all changes').toBeLessThan((await server.lastChange()).version)
      await expect(why.getByRole('link', { name: `version ${then.config_version}` })).toBeVisible()
      await expect(why).toContainText(then.clarity_level)
      await expect(why.getByText(explanation?.summary ?? 'no explanation', { exact: false })).toBeVisible()
      await expect(page).toHaveURL((url) => url.searchParams.get('bar') === '2026-01-02T16:45Z')
      await why.getByRole('button', { name: 'Back to the newest' }).click()
      await expect(page.getByRole('region', { name: 'Why', exact: true })).toBeVisible()
    })

    await test.step('a click on a bar that nobody decided says why, and what is known of it', async () => {
      await visit(page, '/assets/SHORT')
      const chart = page.getByRole('region', { name: 'Chart of SHORT' })
      const why = page.getByRole('region', { name: /^Why, / })
      // Until its bars are there nothing is under the pointer.
      await expect(async () => {
        const box = await chart.getByRole('group').boundingBox()
        await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 3)
        await expect(why).toBeVisible({ timeout: 1_000 })
      }).toPass()
      await expect(why).toContainText('No decision is known')
      const bar = new URL(page.url()).searchParams.get('bar') ?? ''
      const known = await recorded<BarRecord>(server, `assets/SHORT/bars/${encodeURIComponent(bar)}`)
      expect(known.undecided).toContain('SHORT')
      await expect(why.getByRole('status')).toHaveText(/SHORT/)
      await expect(why).toContainText(/Prices.*open .*close .*Recomputed.*not decided: warming up/s)
      await expectNothingSerious(page, 'main')
    })

    await test.step('the chart scrolls back beyond the bars that it follows, to the first that was recorded', async () => {
      await visit(page, '/assets/EVEN?range=100')
      const chart = page.getByRole('region', { name: 'Chart of EVEN' })
      await expect(async () => {
        await chart.getByRole('group').press('Home')
        await expect(chart.locator('[title="1 Jan 2026, 00:00 UTC"]')).toBeVisible({ timeout: 500 })
      }).toPass()
    })

    await test.step('what fired today is three clicks away, and the filter is in the address', async () => {
      await visit(page, '/')
      await page.getByRole('navigation', { name: 'Pages' }).first().getByRole('link', { name: 'Signals' }).click()
      await page.getByRole('button', { name: 'Today' }).click()
      await page.getByRole('combobox', { name: 'Kind' }).selectOption('Fired')
      const fired = await recorded<SignalPage>(server, 'decisions?held=false&from=2026-01-02T00:00:00Z')
      expect(fired.decisions.length).toBeGreaterThan(0)
      const rows = page.getByRole('table', { name: 'Signals' }).locator('tbody').getByRole('row')
      await expect(rows).toHaveCount(fired.decisions.length)
      await page.reload()
      await expect(rows).toHaveCount(fired.decisions.length)
      await expect(page).toHaveURL(/\/signals\?since=2026-01-02&kind=fired$/)
      for (const [place, { asset, clarity_level: level }] of fired.decisions.entries()) {
        await expect(rows.nth(place)).toContainText(asset)
        await expect(rows.nth(place)).toContainText(level)
      }
      await test.step('another day is typed digit by digit, and the list is saved as it is filtered', async () => {
        const first = page.getByLabel('From this day on')
        await first.focus()
        // The same in either order of day and month.
        await page.keyboard.type('02022025', { delay: 60 })
        await expect(page).toHaveURL(/since=2025-02-02/)
        await expect(first).toHaveValue('2025-02-02')
        const saved = page.waitForEvent('download')
        await page.getByRole('button', { name: 'CSV', exact: true }).click()
        expect((await saved).suggestedFilename()).toBe('decisions.csv')
      })
      await expectNothingSerious(page, 'main')
    })

    await test.step('what came of entries is counted, and the paper account says that it is a simulation', async () => {
      await page.getByRole('link', { name: 'Setups' }).click()
      const { held_by } = await recorded<Setups>(server, 'setups')
      const held = held_by.find(({ filter }) => filter === 'underused_alpha')
      const known = held?.outcomes.returns.find(({ bars }) => bars === 16)?.known ?? 0
      const table = page.getByRole('region', { name: 'Held back by a filter' })
      const right = known === 0 ? 'not known yet' : `${Math.round((held?.held_right ?? 0) * known)} of ${known}`
      await expect(table.getByRole('row').filter({ hasText: 'Retail chop' })).toContainText(right)
      await expect(page.getByRole('img', { name: /^Retail chop blocked on \d+ % of/ })).toBeVisible()
      await expectNothingSerious(page, 'main')
      await page.getByRole('link', { name: 'Account', exact: true }).click()
      const account = await recorded<PaperAccount>(server, 'account')
      await expect(page.getByRole('region', { name: 'Account', exact: true })).toContainText(
        /Simulation .*nobody traded/i,
      )
      const trades = page.getByRole('region', { name: 'Newest trades' })
      await expect(trades.locator('tbody').getByRole('row')).toHaveCount(account.newest_trades.length)
      await expect(page.getByRole('row').filter({ hasText: 'ODD' }).first()).toContainText(' of ')
      await test.step('other costs are tried, kept in the address, and left again', async () => {
        const figures = page.getByRole('region', { name: 'Account', exact: true })
        await page.getByRole('textbox', { name: 'Fee' }).fill('97,5')
        const dear = await recorded<PaperAccount>(server, 'account?fee=97.5')
        await expect(figures).toContainText(`${dear.paid.toFixed(4)} %fee 97.5, slippage 2 basis points`)
        await page.reload()
        await expect(page.getByRole('textbox', { name: 'Fee' })).toHaveValue('97,5')
        await page.getByRole('textbox', { name: 'Slippage' }).fill('-1')
        await expect(figures).toContainText('A number from 0 to 1,000')
        await expectNothingSerious(page, 'main')
        await page.getByRole('button', { name: 'Those of the server' }).click()
        await expect(figures).toContainText(`${account.paid.toFixed(4)} %fee 10, slippage 2 basis points`)
        await expect(page).not.toHaveURL(/fee|slippage/)
      })
      await expectNothingSerious(page, 'main')
      await trades.locator('tbody').getByRole('row').first().click()
      await expect(page).toHaveURL(/\/assets\/ODD\?panel=why&bar=/)
      await expect(page.getByRole('region', { name: /^Why, 2 Jan/ })).toContainText('version 0')
    })
  })
})

test.describe('on a recorded market of more bars than a chart follows', () => {
  test.use({
    serving: {
      flags: ['--speed', 'max', '--timeframe', '1m'],
      recorded: { LONG: { seed: 3, minutes: 2_500 } },
    },
  })

  test('the chart goes to a day, to a bar and to a part of an address, and stays there', async ({ page, stream }) => {
    const loading = new Set<Request>()
    page.on('request', (request) => request.url().includes('/bars') && loading.add(request))
    page.on('requestfinished', (request) => loading.delete(request))
    page.on('requestfailed', (request) => loading.delete(request))
    await page.goto('/assets/LONG?range=100')
    await stream.until('LONG', (state) => decision(state).status === 'ended', 60_000)
    const newest = page.getByRole('button', { name: 'Newest bar' })
    const inTheMiddle = async (opened: string) => {
      await expect(async () => expect(await minutesFromMiddle(page, 'LONG', opened)).toBeLessThan(3)).toPass()
      // Bars around it may still be coming. They ask for no more once what has come is drawn.
      await expect(async () => {
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
        expect(loading.size).toBe(0)
      }).toPass()
      expect(await minutesFromMiddle(page, 'LONG', opened)).toBeLessThan(3)
      await expect(newest).toBeVisible()
    }

    await test.step('a day, which begins a third of the way from the left', async () => {
      await page.getByLabel('Go to a day').fill('2026-01-02')
      await inTheMiddle('2026-01-01T23:17Z')
      await page.reload()
      await inTheMiddle('2026-01-01T23:17Z')
      await page.getByLabel('Go to a day').fill('2026-01-01')
      await inTheMiddle('2026-01-01T00:50Z')
    })

    await test.step('back at the newest bar, and at a part of which only the end is held', async () => {
      await newest.click()
      await expect(newest).toBeHidden()
      await expect(page).not.toHaveURL(/view=/)
      await visit(page, '/assets/LONG?range=100&view=1100@2026-01-02T17:00Z')
      await inTheMiddle('2026-01-02T07:50Z')
    })

    await test.step('a part in an address, and a bar', async () => {
      await visit(page, '/assets/LONG?range=100&view=200@2026-01-01T08:00Z')
      await inTheMiddle('2026-01-01T06:20Z')
      await visit(page, '/assets/LONG?range=100&panel=why&bar=2026-01-01T05:00Z')
      await inTheMiddle('2026-01-01T05:00Z')
      await expect(page.getByRole('region', { name: /^Why, 1 Jan( 2026)?, 06:00$/ })).toBeVisible()
    })
  })
})

/** Minutes between a moment and the bar in the middle of a chart. */
async function minutesFromMiddle(page: Page, asset: string, opened: string): Promise<number> {
  const chart = page.getByRole('region', { name: `Chart of ${asset}` })
  const box = await chart.getByRole('group').boundingBox()
  if (box === null) throw new Error('The chart is not there')
  // The axis of prices is on the right.
  const middle = box.x + (box.width - 76) / 2
  // Twice, because a pointer that stands still tells nothing of bars that moved below it.
  for (const x of [middle - 20, middle]) await page.mouse.move(x, box.y + box.height / 3)
  const title = await chart.locator('[title$=" UTC"]').first().getAttribute('title')
  return Math.abs(Date.parse(`${title?.replace(',', '')}`) - Date.parse(opened)) / 60_000
}

/** What a server answers from its record. */
async function recorded<T>(server: RunningServer, path: string): Promise<T> {
  return (await fetch(`${server.url}/phoenix/${path}`)).json() as Promise<T>
}

/** Moves the pointer onto the bar of a chart that opened then. */
async function pointAt(page: Page, asset: string, opened: string): Promise<void> {
  const chart = page.getByRole('region', { name: `Chart of ${asset}` })
  const box = await chart.getByRole('group').boundingBox()
  if (box === null) throw new Error('The chart is not there')
  const reading = chart.locator('[title$=" UTC"]').first()
  for (let right = 60; right < box.width; right += 2) {
    await page.mouse.move(box.x + box.width - right, box.y + box.height / 3)
    if ((await reading.getAttribute('title')) === opened) return
  }
  throw new Error(`No bar of ${opened}`)
}

test('the name of an asset may be typed in any case; an unknown one is said to be unknown, with the ones there are', async ({
  page,
}) => {
  await page.goto('/assets/btc?panel=history')
  await expect(page).toHaveURL(/\/assets\/BTC\?panel=history$/)
  await page.goto('/assets/DOGE')
  await expect(page.getByRole('heading', { name: 'There is no asset DOGE' })).toBeVisible()
  await page.getByRole('main').getByRole('link', { name: 'ETH' }).click()
  await expect(page).toHaveURL(/\/assets\/ETH$/)
  await expect(page.getByRole('heading', { name: 'ETH', level: 1 })).toBeAttached()
})
