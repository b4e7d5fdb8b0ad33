import { expectNothingSerious } from './axe.ts'
import type { RunningServer } from './server.ts'
import { decision, shownPrice } from './stream.ts'
import { expect, type Locator, test } from './test.ts'

/** The age something shows, in seconds; NaN where it shows none. */
async function shownAge(place: Locator): Promise<number> {
  const text = (await place.textContent()) ?? ''
  return /\bnow\b/.test(text) ? 0 : Number(/(\d+) s ago/.exec(text)?.[1])
}

test.describe('on a recorded market of which one file breaks', () => {
  const recorded = {
    BTC: { seed: 1, minutes: 400, brokenAt: 260 },
    ETH: { seed: 2, minutes: 8_000 },
    SOL: { seed: 3, minutes: 8_000 },
  }
  test.use({ serving: { flags: ['--speed', '600', '--timeframe', '1m'], recorded } })

  test('the age of its data grows, it is stale and says why; the other one stays young', async ({ page, stream }) => {
    await page.goto('/')
    const stale = decision(await stream.until('BTC', (state) => decision(state).status === 'stale', 60_000))
    expect(stale.status_reason_id).toBe('feed_failed')
    const card = (name: string) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) })

    await expect(card('BTC')).toContainText('stale')
    await expect(card('BTC')).toContainText('idle')
    await expect(card('BTC')).toContainText(stale.status_reason ?? 'no reason')
    await expect.poll(() => shownAge(card('BTC'))).toBeGreaterThan(3)
    const before = await shownAge(card('BTC'))
    await expect.poll(() => shownAge(card('BTC'))).toBeGreaterThan(before)
    expect(await shownAge(card('ETH'))).toBeLessThan(3)
    await expect(card('ETH')).not.toContainText('stale')

    await page.goto('/assets/BTC')
    const header = page.locator('main header')
    await expect(header).toContainText('stale')
    await expect(header).toContainText('no position')
    await expect.poll(() => shownAge(header)).toBeGreaterThan(before)
    await expect(page.getByText('Stale: not to be acted on')).toBeVisible()
  })

  test('what came of a change is two clicks away: beside the version before, and how sure that is', async ({
    page,
    server,
  }) => {
    const { version } = await server.change({ settings: { state_threshold_loaded: 5 } }, 'ETH', 'more entries')
    const judged = async () => (await server.record.version('ETH', version)).comparison?.bars ?? 0
    await expect.poll(() => judged().catch(() => 0)).toBeGreaterThan(5)
    await page.goto('/')
    await page.getByRole('link', { name: 'History' }).filter({ visible: true }).click()
    const came = page.getByRole('link', { name: `What came of version ${version}: ETH` })
    await expect(came).toContainText(/(better|worse|not enough to tell): .+ entr.+ bars · .+ in force/i)
    await came.click()

    await expect(page).toHaveURL(`/history/${version}?asset=ETH`)
    await expect(page.getByRole('region', { name: 'The change' })).toContainText(/somebody else.*more entries.*50 → 5/s)
    const outcome = await server.record.version('ETH', version)
    const verdict = page.getByRole('region', { name: 'Verdict' })
    await expect(verdict).toContainText(new RegExp(`${outcome.comparison?.verdict}`, 'i'))
    await expect(verdict).toContainText(`Against version ${outcome.before} on the same`)
    await expect(verdict).toContainText(/with 95\s% confidence .*It is a simulation/s)
    await expect(page.getByRole('textbox', { name: 'Fee' })).toHaveAttribute('placeholder', '10')
    await expect(page.getByRole('img', { name: /^Sum of scores/ })).toBeVisible()
    const bar = page.getByRole('slider', { name: 'Bar that is read' })
    await bar.press('Home')
    await expect(bar).toHaveValue('0')
    for (const part of ['Entries by level and side', 'Held back by filters', 'Outcome per entry'])
      await expect(page.getByRole('region', { name: part })).toContainText(`version ${outcome.before}`)
    await expectNothingSerious(page, 'main')
  })

  test('a change of all assets has a verdict over all of them, as one equity', async ({ page, server }) => {
    // One that broke before the change is not part of it.
    await expect.poll(async () => (await feeds(server)).BTC).not.toBe('ok')
    const { version } = await server.change({ settings: { state_threshold_loaded: 10 } })
    const judged = async () => (await server.record.change(version)).comparison
    await expect.poll(async () => (await judged().catch(() => null))?.assets).toEqual(['ETH', 'SOL'])
    await expect.poll(async () => (await judged())?.bars).toBeGreaterThan(5)
    await page.goto('/history')
    const came = page.getByRole('link', { name: `What came of version ${version}: all assets` })
    await expect(came).toContainText(/(better|worse|not enough to tell): .+2 assets as one equity · .+ bars/i)
    await came.click()

    await expect(page).toHaveURL(`/history/${version}`)
    await expect(page.getByRole('combobox', { name: 'Asset' })).toHaveValue('')
    await expect(page.getByRole('region', { name: 'Verdict' })).toContainText(
      /ETH and SOL as one equity against .* on the same/,
    )
    await expect(page.getByRole('img', { name: /^Difference/ })).toBeVisible()
    await expectNothingSerious(page, 'main')
    await page.getByRole('region', { name: 'Assets' }).getByRole('link', { name: 'SOL' }).click()
    await expect(page).toHaveURL(`/history/${version}?asset=SOL`)
    await expect(page.getByRole('region', { name: 'Entries by level and side' })).toBeVisible()
    await page.getByRole('combobox', { name: 'Asset' }).selectOption('All assets')
    await expect(page.getByRole('region', { name: 'Assets' })).toBeVisible()
  })
})

test.describe('on a real market', () => {
  test.use({ serving: { flags: ['--timeframe', '1m'], exchange: { name: 'binance', bases: 'BTC', pace: 30 } } })

  test('its exchange and symbol are named; a cut is said, and what was missed is marked', async ({ page, server }) => {
    await page.goto('/assets/BTC')
    const [badge, header] = [page.locator('header').first(), page.locator('main header')]
    await expect(badge).toContainText('Binance connected')
    await expect(header).toContainText('BTCUSDT')
    await expect(header).toContainText(/delay (<|\d)/)
    await expect(shownPrice(page)).toHaveText(/^\d+\.\d\d$/)
    const legend = page.getByRole('list', { name: 'What the chart shows' })
    await expect(legend).toContainText('Volume USDT')
    // Of the minutes around the start some may be filled as well.
    const filled = async () => Number(/Filled: (\d+)/.exec((await legend.textContent()) ?? '')?.[1] ?? 0)
    const before = await filled()

    server.exchange?.leaveForAMinute()
    await expect(badge).toContainText('Binance reconnecting')
    await expect(header).toContainText('BTCUSDT · reconnecting')
    await expect(badge).toContainText('Binance connected', { timeout: 30_000 })
    await expect.poll(filled).toBeGreaterThan(before)
  })
})

/** How each feed is, as a load balancer asks. */
async function feeds(server: RunningServer): Promise<Record<string, string>> {
  const { feeds } = (await (await fetch(`${server.url}/ready`)).json()) as { feeds: Record<string, string> }
  return feeds
}
