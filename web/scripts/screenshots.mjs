// Takes the pictures in docs/images: every page, dark and light, and on a phone. `npm run screenshots -w vivienne-dashboard`; names of pages after
// `--` take only theirs.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launch, serve } from './running.mjs'

const target = fileURLToPath(new URL('../../docs/images/', import.meta.url))
mkdirSync(target, { recursive: true })

const DESK = { width: 1440, height: 900 }
/** Hatched rows make large files, and a few rules fill no screen. */
const LOW = { width: 1440, height: 620 }
const PHONE = { width: 390, height: 844 }
const PAGES = {
  overview: '/',
  asset: '/assets/BTC?panel=configuration&range=100',
  charts: '/charts?assets=BTC,ETH,SOL&panes=confidence',
  configuration: '/configuration',
  alerts: '/alerts',
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
/** Rules of alerts, one of which has a receiver that is away. Nothing of them leaves this machine. */
const RULES = [
  {
    name: 'changes, for the team',
    assets: ['*'],
    event: ['config', 'pause'],
    channels: [{ type: 'browser' }, { type: 'webhook', url: 'http://127.0.0.1:9/hook' }],
  },
  {
    name: 'BTC and ETH, large and confident',
    assets: ['BTC', 'ETH'],
    event: ['entry', 'exit', 'size'],
    side: 'long',
    min_size: 5,
    min_confidence: 0.7,
    channels: [{ type: 'browser' }, { type: 'apprise', url: 'env:ALERT_TELEGRAM' }],
  },
  { name: 'stale data', assets: ['*'], event: ['data', 'feed'], channels: [{ type: 'browser' }] },
]
const names = process.argv.slice(2)
const isWanted = (name) => names.length === 0 || names.includes(name)
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))

async function post(address, body) {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(await answer.text())
}

function change(url, body) {
  return post(`${url}/phoenix/config/vivienne/comprehensive/partial-update`, body)
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

/** Fills in the form of a new rule. */
async function fillIn(page) {
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('BTC bangs')
  await page.getByRole('button', { name: 'BTC', exact: true }).click()
  await page.getByRole('button', { name: 'Entry', exact: true }).click()
  await page.getByText('Text of your own').click()
  await page.getByRole('textbox', { name: 'Text', exact: true }).fill('{{asset}} {{side|upper}} at {{price}}')
  await wait(1500)
}

const browser = await launch()
const few = await serve(3, '--alert-hosts', '127.0.0.1')
const many = isWanted('overview') ? await serve(50) : null
const fast = await serve(3, '--speed', '12000')
try {
  for (const body of isWanted('alerts') || isWanted('rule') ? RULES : []) await post(`${few.url}/phoenix/alerts`, body)
  for (const body of CHANGES) {
    for (const { url } of [few, fast]) await change(url, body)
    await wait(12_000)
  }
  for (const [{ url }, pages] of [
    [few, PAGES],
    [fast, JUDGED],
  ]) {
    for (const [name, path] of Object.entries(pages).filter(([name]) => isWanted(name))) {
      const desk = name === 'signals' || name === 'alerts' ? LOW : DESK
      await take(browser, url, `${name}-dark`, path, 'dark', desk)
      await take(browser, url, `${name}-light`, path, 'light', desk)
      await take(browser, url, `${name}-phone`, path, 'dark', PHONE)
    }
  }
  if (many !== null) await take(browser, many.url, 'overview-50-assets', '/', 'dark', { width: 1920, height: 1080 })
  if (isWanted('rule')) await take(browser, few.url, 'rule-dark', '/alerts?rule=new', 'dark', DESK, fillIn)
  if (isWanted('review')) await take(browser, few.url, 'review-dark', PAGES.asset, 'dark', DESK, review)
} finally {
  await browser.close()
  await Promise.all([few, many, fast].map((server) => server?.close()))
}
