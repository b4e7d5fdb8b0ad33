// @vitest-environment happy-dom
import { act, cleanup, configure, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { VivienneClient } from '../../src/index.js'
import { VivienneConfigForm, VivienneConfigMonitor } from '../../src/react/index.js'
import { eventually, LiveServer } from '../draft/live.js'
import { clientOnPage, resetAll } from './live_page.js'
import { provided } from './offline.js'

// Nothing is hidden here; looking whether something is takes most of the time.
configure({ defaultHidden: true })

let server: LiveServer
let client: VivienneClient
/** Somebody else. */
let other: VivienneClient

beforeAll(async () => {
  server = await LiveServer.start()
})
beforeEach(async () => {
  client = clientOnPage(server)
  other = clientOnPage(server)
  await resetAll(other)
})
afterEach(() => {
  cleanup()
  client.close()
  other.close()
})

async function shownForm(assetSymbol?: string | null): Promise<void> {
  const symbol = assetSymbol === undefined ? {} : { assetSymbol }
  render(<VivienneConfigForm {...symbol} author="ana" />, { wrapper: provided(client), reactStrictMode: true })
  await screen.findByLabelText('Bang threshold', undefined, { timeout: 10_000 })
}

const bang = () => screen.getByLabelText<HTMLInputElement>('Bang threshold')
const save = () => screen.getByRole<HTMLButtonElement>('button', { name: /^Save/ })
const status = () => screen.getByRole('status').textContent
const type = (input: HTMLElement, value: string) => fireEvent.change(input, { target: { value } })

/** What is said about a control, as a screen reader reads it. */
function saidAbout(control: HTMLElement): string {
  const ids = control.getAttribute('aria-describedby')?.split(' ') ?? []
  return ids.map((id) => document.getElementById(id)?.textContent?.trim() ?? `nothing has the id ${id}`).join(' | ')
}

describe('VivienneConfigForm', () => {
  it('has a labelled control for everything that can be changed, in the sections of the schema', async () => {
    await shownForm()
    const { sources } = await other.rest.active('BTC')
    const paths = [...document.querySelectorAll('[data-path].vivienne-field')].map((field) =>
      field.getAttribute('data-path'),
    )
    expect(paths).toEqual(expect.arrayContaining(Object.keys(sources)))
    for (const control of document.querySelectorAll('input, select')) {
      expect((control as HTMLInputElement).labels?.length, control.outerHTML).toBe(1)
    }
    const filters = screen.getByRole('group', { name: 'Filters' })
    const volatility = within(filters).getByRole('group', { name: 'Volatility' })
    expect(within(volatility).getByLabelText('Volatility filter')).toHaveProperty('type', 'checkbox')
  })

  it('says of a number its unit, bounds and step, and where its value comes from', async () => {
    await shownForm()
    const squeeze = screen.getByLabelText<HTMLInputElement>('Volatility squeeze threshold')
    const { type: kind, min, max, step, value } = squeeze
    expect({ kind, min, max, step, value }).toEqual({
      kind: 'number',
      min: '0',
      max: '0.4',
      step: '0.001',
      value: '0.015',
    })
    expect(saidAbout(squeeze)).toMatch(/^fraction of price, 0 to 0\.4 \| Blocks every entry .* Default\.$/)
    expect(saidAbout(bang())).toMatch(/^confidence, 0 to 100 \| .* the level bang: act now/)
  })

  it('saves what was changed with a reason, and says which version is in force', async () => {
    await shownForm()
    expect(save().disabled).toBe(true)
    type(bang(), '85')
    type(screen.getByLabelText('Reason'), '  fewer entries ')
    expect(save().disabled).toBe(false)
    fireEvent.submit(screen.getByRole('form', { name: 'Configuration of BTC' }))
    await eventually(() => expect(status()).toMatch(/^Saved: version \d+ is in force/))
    const [entry] = (await other.rest.history({ asset: 'BTC', limit: 1 })).history
    expect(entry).toMatchObject({
      author: 'ana',
      reason: 'fewer entries',
      config: { settings: { state_threshold_bang: 85 } },
    })
    expect(status()).toContain(`version ${entry?.version} `)
    expect(bang().value).toBe('85')
    expect(save().disabled).toBe(true)
    expect(screen.getByLabelText<HTMLInputElement>('Reason').value).toBe('')
    await other.rest.partialUpdate({ settings: { state_threshold_aim: 71 } }, { asset: 'BTC' })
    await eventually(() => expect(status()).toBe(`Version ${(entry?.version ?? 0) + 1} is in force.`))
  })

  it('shows an error beside its field, in the words of the server, and cannot be saved', async () => {
    await shownForm()
    type(bang(), '105')
    expect(bang().getAttribute('aria-invalid')).toBe('true')
    expect(saidAbout(bang())).toMatch(/\| Bang threshold must be between 0 and 100$/)
    expect(save().disabled).toBe(true)
    type(bang(), '')
    expect(saidAbout(bang())).toMatch(/\| Bang threshold must be a number$/)
    type(bang(), '95')
    expect(bang().getAttribute('aria-invalid')).toBe('false')
    expect(save().disabled).toBe(false)
  })

  it('shows what is wrong with a whole section there', async () => {
    await shownForm()
    for (const name of ['ema_cross', 'macd', 'rsi', 'bb_bounce', 'bb_breakout']) {
      type(screen.getByLabelText(`Signal weight ${name}`), '0')
    }
    const weights = screen.getByRole('group', { name: 'Signal weights' })
    expect(within(weights).getByRole('alert').textContent).toMatch(/^At least one signal weight must be above 0/)
    expect(save().disabled).toBe(true)
  })

  it('takes back the field one is in with Esc, and all of them with a button', async () => {
    await shownForm()
    const aim = screen.getByLabelText<HTMLInputElement>('Aim threshold')
    type(bang(), '85')
    type(aim, '71')
    fireEvent.keyDown(bang(), { key: 'Escape' })
    expect([bang().value, aim.value]).toEqual(['80', '71'])
    fireEvent.click(screen.getByRole('button', { name: 'Take back all changes' }))
    expect(aim.value).toBe('70')
  })

  it('leaves what is typed alone while others change things, and shows both values', async () => {
    await shownForm()
    type(bang(), '85')
    await other.rest.partialUpdate(
      { settings: { state_threshold_bang: 90, state_threshold_aim: 71 } },
      { asset: 'BTC' },
    )
    const keep = await screen.findByRole('button', { name: 'Keep 85' }, { timeout: 10_000 })
    expect(bang().value).toBe('85')
    expect(screen.getByLabelText<HTMLInputElement>('Aim threshold').value).toBe('71')
    expect(saidAbout(bang())).toMatch(/\| Changed elsewhere: 90 is in force now, it was 80\.$/)
    expect(save().disabled).toBe(true)
    fireEvent.click(keep)
    expect(save().disabled).toBe(false)
    expect(document.activeElement).toBe(bang())
    expect(screen.queryByRole('button', { name: 'Take 90' })).toBeNull()
  })

  it('gives up what is typed for what others made of it', async () => {
    await shownForm()
    type(bang(), '85')
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 90 } }, { asset: 'BTC' })
    fireEvent.click(await screen.findByRole('button', { name: 'Take 90' }, { timeout: 10_000 }))
    expect(bang().value).toBe('90')
    expect(save().disabled).toBe(true)
  })

  it('says what a reset makes of a value, and resets it', async () => {
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 78 } })
    await other.rest.partialUpdate({ settings: { state_threshold_bang: 90 } }, { asset: 'BTC' })
    await shownForm()
    expect(saidAbout(bang())).toMatch(/Set for BTC\.$/)
    expect(screen.queryByRole('button', { name: /Reset Aim/ })).toBeNull()
    fireEvent.click(screen.getByRole('button', { name: 'Reset Bang threshold to 78 (all assets)' }))
    await eventually(() => expect(status()).toMatch(/^Reset: version \d+ is in force/))
    expect(bang().value).toBe('78')
    expect(saidAbout(bang())).toMatch(/Set for all assets\.$/)
  })

  it('keeps what was typed when saving fails, and says why', async () => {
    await other.rest.partialUpdate({ settings: { state_threshold_aim: 78 } }, { asset: 'ETH' })
    await shownForm(null)
    type(bang(), '75')
    fireEvent.submit(screen.getByRole('form', { name: 'Configuration of all assets' }))
    await eventually(() => expect(saidAbout(bang())).toMatch(/\| ETH: Aim threshold \(78\) must not be above bang/))
    expect(bang().value).toBe('75')
  })

  it('switches with a checkbox, and takes blanks for no reason', async () => {
    await shownForm('btc')
    type(screen.getByLabelText('Reason'), '  ')
    const trend = screen.getByLabelText<HTMLInputElement>('Trend filter')
    expect(trend.checked).toBe(true)
    fireEvent.click(trend)
    fireEvent.click(save())
    await eventually(() => expect(status()).toMatch(/^Saved/))
    expect((await other.rest.active('BTC')).config.filters.trend.enable_trend_filter_for_entry).toBe(false)
  })

  it('starts anew with another asset', async () => {
    const { rerender } = render(<VivienneConfigForm assetSymbol="BTC" />, { wrapper: provided(client) })
    type(await screen.findByLabelText('Bang threshold', undefined, { timeout: 10_000 }), '85')
    rerender(<VivienneConfigForm assetSymbol="ETH" />)
    expect(screen.getByRole('form', { name: 'Configuration of ETH' })).toBeTruthy()
    await screen.findByLabelText('Bang threshold', undefined, { timeout: 10_000 })
    expect(bang().value).toBe('80')
  })
})

describe('VivienneConfigMonitor', () => {
  it('shows the last configurations with time, who, why and what, newest first', async () => {
    await other.rest.partialUpdate(
      { settings: { state_threshold_bang: 85 } },
      { asset: 'BTC', author: 'bea', reason: 'fewer' },
    )
    render(<VivienneConfigMonitor limit={2} />, { wrapper: provided(client) })
    const [newest] = await screen.findAllByRole('listitem', undefined, { timeout: 10_000 })
    expect(newest?.textContent).toMatch(/Version \d+ \(in force\): BTC changed by bea/)
    expect(newest?.querySelector('q')?.textContent).toBe('fewer')
    expect(newest?.querySelector('time')?.dateTime).toMatch(/^20\d\d-/)
    expect(newest?.querySelector('ul')?.textContent).toBe('settings.state_threshold_bang 80 → 85')
    expect(document.querySelectorAll('.vivienne-revision')).toHaveLength(2)
    await act(() => other.rest.reset({ all: true }, { asset: 'BTC', author: 'cem' }))
    await eventually(() =>
      expect(document.querySelector('.vivienne-revision')?.textContent).toMatch(/BTC reset by cem.*80/s),
    )
    expect(document.querySelectorAll('.vivienne-revision')).toHaveLength(2)
  })
})
