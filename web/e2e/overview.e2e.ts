import type { AssetData } from 'vivienne-client'
import { expectNothingSerious } from './axe.ts'
import { decision, rounded } from './stream.ts'
import { expect, type Page, test } from './test.ts'

const LEVELS = ['idle', 'loaded', 'aim', 'bang']

/** What an asset is at, as the overview ranks it: the level it would have, and whether a filter holds it. */
function standing(state: AssetData) {
  const { blocked_by, raw_clarity_level: raw, clarity_level: level } = decision(state)
  const held = blocked_by.length > 0 && raw !== 'idle'
  return { held, level: held ? raw : level }
}

/** The smaller, the nearer to firing. */
function urgency(state: AssetData): number {
  const { held, level } = standing(state)
  return -2 * LEVELS.indexOf(level) + Number(held)
}

async function shownAssets(page: Page): Promise<string[]> {
  const links = page.getByRole('table', { name: 'Assets' }).or(page.getByRole('list', { name: 'Assets', exact: true }))
  return links.locator('[data-asset-link]').allInnerTexts()
}

test.describe('on a recorded market that has ended', () => {
  const names = ['ADA', 'AVAX', 'BCH', 'BNB', 'BTC', 'DOT', 'ETH', 'LTC', 'SOL', 'XRP']
  const recorded = Object.fromEntries(names.map((name, place) => [name, { seed: place + 1, minutes: 2_500 }]))
  test.use({ serving: { flags: ['--speed', 'max'], recorded } })

  test('every asset is shown as the stream says, those about to fire first; their order stands still under the pointer', async ({
    page,
    server,
    stream,
  }) => {
    await page.goto('/')
    const states = new Map<string, AssetData>()
    for (const name of names) states.set(name, await stream.until(name, (one) => decision(one).status === 'ended'))
    const connection = page.getByRole('region', { name: 'Connection' })
    await expect(connection).toContainText('Replay ended')
    await expect(connection, 'levels of old data are not spoken of').not.toContainText('aim or bang')
    await expect(connection).not.toHaveAttribute('data-current')
    const wanted = (name: string) => urgency(states.get(name) as AssetData)
    await expect
      .poll(async () => (await shownAssets(page)).map(wanted))
      .toEqual(names.map(wanted).sort((one, other) => one - other))
    expect(new Set(names.map(wanted)).size, 'they differ').toBeGreaterThan(2)

    for (const [name, state] of states) {
      const { signal_confidence: confidence, price, side, position_size: size } = decision(state)
      const { held, level } = standing(state)
      const row = page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) })
      await expect(row).toContainText(level)
      await expect(row.getByText('held')).toHaveCount(held ? 1 : 0)
      // One decimal, and more where that would say it is on another side of a threshold.
      const percent = Math.floor(confidence * 100)
      await expect(row).toContainText(new RegExp(`(${percent}|${percent + 1})\\.\\d+ %`))
      await expect(row).toContainText(`${side}`)
      await expect(row).toContainText(`${size} %`)
      await expect(row).toContainText(rounded(price))
      await expect(row).toContainText('replay ended')
    }
    const levels = page.getByRole('list', { name: 'Assets by level' })
    const free = [...states.values()].map(standing).filter(({ held }) => !held)
    for (const level of LEVELS) {
      await expect(levels).toContainText(`${free.filter((one) => one.level === level).length} ${level}`)
    }

    await test.step('what holds an entry is counted, and a click shows only those it holds', async () => {
      const held = [...states.values()].filter((state) => standing(state).held).map(decision)
      const [id] = held[0]?.blocked_by ?? []
      const title = held[0]?.explanation?.filters.find((each) => each.id === id)?.title
      const names = held.filter((data) => data.blocked_by.includes(id ?? '')).length
      await page.getByRole('button', { name: `held by ${title}: ${names}` }).click()
      await expect(page).toHaveURL((url) => url.searchParams.get('held-by') === id)
      await expect.poll(async () => (await shownAssets(page)).length).toBe(names)
      await page.reload()
      await expect(page.getByText(`${names} of 10 shown`)).toBeVisible()
      await page.getByRole('button', { name: 'Show all' }).click()
      await expect.poll(async () => (await shownAssets(page)).length).toBe(10)
    })

    await page.getByRole('button', { name: 'Close this introduction' }).click()
    const before = await shownAssets(page)
    const last = before.at(-1) ?? ''
    expect(standing(stream.latest(last) as AssetData).level).toBe('idle')

    await page.getByRole('link', { name: before[0] ?? '', exact: true }).hover()
    const lowest = { state_threshold_loaded: 0, state_threshold_aim: 0, state_threshold_bang: 0 }
    const off = {
      volatility: { enable_bollinger_filter_for_entry: false },
      trend: { enable_trend_filter_for_entry: false },
      levels: { enable_levels_filter_for_entry: false },
      underused_alpha: { enabled: false },
      combined_vwap: { enabled: false },
    }
    await server.change({ settings: lowest, filters: off }, last)
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: last, exact: true }) })
    await expect(row).toContainText('bang')
    await expect(page.getByText('The order is updated when you leave the list')).toBeVisible()
    expect(await shownAssets(page)).toEqual(before)

    await page.getByRole('banner').hover()
    await expect.poll(async () => (await shownAssets(page)).indexOf(last)).toBeLessThan(names.length - 1)
    await expect.poll(async () => (await shownAssets(page)).slice(0, 4)).toContain(last)
    await expect(page.getByText('The order is updated')).toBeHidden()
    await expect(page).toHaveTitle(/ bang, all ended - Vivienne$/)
  })
})

test('a first visit says what the page is for and the one thing to try; a later one does not; assets are found', async ({
  page,
  server,
  stream,
}) => {
  await page.goto('/')
  const welcome = page.getByRole('region', { name: /^All assets, the most urgent first/ })
  // What it offers is possible now, and does what it says.
  await expect(welcome).toContainText(/Try it: set the \w+ threshold of \w+ from \S+ to \d+\. .* so \w+ is its level/)
  let [text, confidence] = ['', '']
  // A bar may close between a look at one and at the other.
  await expect(async () => {
    text = (await welcome.textContent()) ?? ''
    confidence = /confidence is (\S+ %)/.exec(text)?.[1] ?? 'not there'
    expect(await page.getByTitle(`Confidence ${confidence};`).count(), 'the card has the same figure').toBe(1)
  }).toPass({ timeout: 20_000 })
  const [, threshold = '', asset = '', to = '', level = ''] =
    /set the (\w+) threshold of (\w+) from \S+ to (\d+)\..* so (\w+) is its level/.exec(text) ?? []
  const change = { settings: { [`state_threshold_${threshold}`]: Number(to) } }
  await page.getByRole('link', { name: `Try it with ${asset}` }).click()
  await expect(page.getByRole('spinbutton', { name: new RegExp(`^${threshold} threshold`, 'i') })).toBeFocused()
  const { version } = await server.change(change, asset)
  const state = await stream.until(asset, ({ config_version }) => config_version === version)
  const decided = decision(state)
  // The page speaks of its bar. If another one has closed since, the level is that of its own confidence.
  const { settings } = (await server.rest.active(asset)).config
  const percent = decided.signal_confidence * 100
  const reached = [settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang]
  expect(decided.raw_clarity_level).toBe(LEVELS[reached.filter((lowest) => percent >= lowest).length])
  if (Math.abs(percent - Number.parseFloat(confidence)) < 0.05) expect(decided.raw_clarity_level).toBe(level)
  await page.goto('/')
  await expect(page.getByRole('link', { name: 'BTC', exact: true })).toBeVisible()
  await expect(page.getByText('All assets, the most urgent first')).toHaveCount(0)

  await test.step('assets are found by their name, and sorted by it on request', async () => {
    await page.getByRole('combobox', { name: 'Order' }).selectOption('By name')
    await expect.poll(() => shownAssets(page)).toEqual(['BTC', 'ETH', 'SOL'])
    await page.keyboard.press('/')
    await page.keyboard.type('so')
    await expect.poll(() => shownAssets(page)).toEqual(['SOL'])
    await page.keyboard.type('x')
    await expect(page.getByRole('heading', { name: 'No asset has "sox" in its name' })).toBeVisible()
    await page.getByRole('button', { name: 'Show all' }).first().click()
    await expect.poll(() => shownAssets(page)).toEqual(['BTC', 'ETH', 'SOL'])

    await test.step('their charts stand side by side, each with its asset, and the address chooses them', async () => {
      await page.getByRole('link', { name: 'Charts' }).click()
      await expect(page).toHaveURL(/\/charts\?assets=BTC(%2C|,)ETH(%2C|,)SOL$/)
      const charts = page.getByRole('list', { name: 'Charts' }).getByRole('region')
      await expect(charts).toHaveCount(3)
      for (const chart of await charts.all()) await expect(chart.getByText('Loading the bars')).toBeHidden()
      await page.getByRole('button', { name: 'RSI', exact: true }).click()
      await expect(page.getByRole('list', { name: 'Panes below the chart' })).toHaveCount(3)
      await expectNothingSerious(page, 'main')
      await page.getByRole('button', { name: 'Close the chart of ETH' }).click()
      await expect(charts).toHaveCount(2)
      await charts.first().getByRole('combobox', { name: 'Asset of this chart' }).selectOption('ETH')
      await expect(page).toHaveURL(/assets=ETH(%2C|,)SOL/)
      await expect(page.getByRole('region', { name: 'Chart of ETH' })).toBeVisible()
    })
  })
})

/** Widths around those at which the page is laid out in another way, and those of screens. */
const WIDTHS = [320, 390, 600, 772, 880, 920, 1030, 1160, 1440, 1660, 1740, 1850, 1920, 2540, 2600, 2700, 2780]

test('fifty assets, cheap ones too, fit from a phone to a wide screen', async ({ page }) => {
  await page.routeWebSocket(/\/ws\/state$/, (near) => {
    let many = false
    near.connectToServer().onMessage((text) => {
      near.send(text)
      const message = JSON.parse(String(text))
      if (many || message.asset !== 'BTC') return
      many = true
      const held = { price: 0.000000001234, raw_clarity_level: 'loaded', blocked_by: ['volatility'] }
      Object.assign(message.agents.VivienneAgent.data, held)
      for (let number = 10; number < 57; number++) near.send(JSON.stringify({ ...message, asset: `${number}-PERP` }))
    })
  })
  await page.goto('/')
  await expect.poll(async () => (await shownAssets(page)).length, { timeout: 30_000 }).toBe(50)
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 })
    const beyond = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(await beyond(), `pixels beyond the edge at ${width}`).toBeLessThanOrEqual(0)
    const heights = page
      .getByRole('row')
      .filter({ has: page.locator('[data-asset-link]') })
      .evaluateAll((rows) => [...new Set(rows.map((row) => row.clientHeight))])
    const cut = page
      .locator('[data-asset-link]')
      .evaluateAll(
        (links) => links.filter(({ parentElement: cell }) => cell && cell.scrollWidth > cell.clientWidth).length,
      )
    if (width >= 390) expect(await cut, `names that are cut at ${width}`).toBe(0)
    expect(await heights, `rows are as high whether they are held or not, at ${width}`).toHaveLength(1)
  }
})
