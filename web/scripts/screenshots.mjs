// Takes the pictures in docs/images: every page, dark and light, and on a phone. `npm run screenshots -w vivienne-dashboard`; names of pages after
// `--` take only theirs.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launch, serve } from './running.mjs'

const target = fileURLToPath(new URL('../../docs/images/', import.meta.url))
mkdirSync(target, { recursive: true })

const DESK = { width: 1440, height: 900 }
/** Hatched rows make large files. */
const LOW = { width: 1440, height: 620 }
const PHONE = { width: 390, height: 844 }
const PAGES = {
  overview: '/',
  asset: '/assets/BTC?panel=configuration&range=100',
  charts: '/charts?assets=BTC,ETH,SOL&panes=confidence',
  configuration: '/configuration',
  logs: '/logs',
}
/** On a market so fast that something came of each change. */
const JUDGED = {
  history: '/history',
  change: '/history/2?asset=BTC',
  together: '/history/2',
  signals: '/signals',
}
const CHANGES = [
  { asset_symbol: 'BTC', settings: { state_threshold_bang: 85 }, author: 'ana', reason: 'fewer, better entries' },
  { filters: { volatility: { volatility_squeeze_threshold: 0.012 } }, author: 'ben', reason: 'quiet weekend' },
  { asset_symbol: 'ETH', signal_weights: { macd: 0.6, rsi: 0.7 }, author: 'ana' },
  { asset_symbol: 'BTC', settings: { position_size_aim: 0.3 }, author: 'ana', reason: 'more on a good setup' },
]
const names = process.argv.slice(2)
const isWanted = (name) => names.length === 0 || names.includes(name)
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))

async function change(url, body) {
  const answer = await fetch(`${url}/phoenix/config/vivienne/comprehensive/partial-update`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(await answer.text())
}

async function take(browser, url, name, path, scheme, viewport, before) {
  const context = await browser.newContext({
    viewport,
    colorScheme: scheme,
    ...(viewport === PHONE && { isMobile: true, hasTouch: true, deviceScaleFactor: 1.5 }),
  })
  const page = await context.newPage()
  await page.goto(url + path)
  await page.waitForFunction(
    () =>
      document.querySelector('main h1') !== null &&
      document.querySelector('[aria-busy="true"]') === null &&
      !document.body.textContent.includes('Loading the bars'),
    undefined,
    { timeout: 60_000 },
  )
  // It is judged last. On a phone it is out of sight, and not judged.
  if (path === '/history' && viewport !== PHONE) await page.getByRole('link', { name: /: all assets$/ }).waitFor()
  if (path.includes('panes='))
    await page.getByRole('list', { name: 'Panes below the chart' }).first().waitFor({ state: 'attached' })
  await wait(2500)
  await before?.(page)
  await page.screenshot({ path: `${target}${name}.png` })
  await context.close()
}

/** Types a value and opens the review. */
async function review(page) {
  await page
    .getByRole('spinbutton', { name: /aim threshold/i })
    .first()
    .fill('65')
  await wait(300)
  await page
    .getByRole('button', { name: /review/i })
    .first()
    .click()
  await wait(1500)
}

const browser = await launch()
const few = await serve(3)
const many = isWanted('overview') ? await serve(50) : null
const fast = await serve(3, '--speed', '12000')
try {
  for (const body of CHANGES) {
    for (const { url } of [few, fast]) await change(url, body)
    await wait(12_000)
  }
  for (const [{ url }, pages] of [
    [few, PAGES],
    [fast, JUDGED],
  ]) {
    for (const [name, path] of Object.entries(pages).filter(([name]) => isWanted(name))) {
      const desk = name === 'signals' ? LOW : DESK
      await take(browser, url, `${name}-dark`, path, 'dark', desk)
      await take(browser, url, `${name}-light`, path, 'light', desk)
      await take(browser, url, `${name}-phone`, path, 'dark', PHONE)
    }
  }
  if (many !== null) await take(browser, many.url, 'overview-50-assets', '/', 'dark', { width: 1920, height: 1080 })
  if (isWanted('review')) await take(browser, few.url, 'review-dark', PAGES.asset, 'dark', DESK, review)
} finally {
  await browser.close()
  await Promise.all([few, many, fast].map((server) => server?.close()))
}
