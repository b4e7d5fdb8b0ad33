import { expect, test } from 'vitest'
import { chartSettings, toggled, viewOf, viewText } from './address.ts'

const settings = (search: string) => chartSettings(new URLSearchParams(search))

test('zoom and place of a chart are in its address, and read back from it', () => {
  const views = [
    { bars: 180, end: null },
    { bars: 42, end: '2026-05-04T12:45:00.000Z' },
  ]
  expect(views.map(viewText)).toEqual(['180', '42@2026-05-04T12:45Z'])
  expect(views.map((view) => viewOf(viewText(view)))).toEqual(views)
})

test('an address that says something else counts as one that says nothing', () => {
  for (const text of ['', '0', '-3', '5x', '12345', '10@yesterday', '10@2026-99-99T12:00Z']) {
    expect(viewOf(text), text).toBeNull()
  }
  expect(settings('range=7&timeframe=2h&scale=round')).toEqual({
    range: null,
    view: null,
    panes: null,
    logarithmic: false,
    look: null,
  })
})

test('panes are those the address names, in one order, or none', () => {
  expect(settings('').panes).toBeNull()
  expect(settings('panes=none').panes).toEqual([])
  expect(settings('panes=confidence,rsi,volume').panes).toEqual(['rsi', 'confidence'])
})

test('a pane is opened or closed, and all stay in their order', () => {
  expect(toggled(['confidence'], 'rsi')).toEqual(['rsi', 'confidence'])
  expect(toggled(['rsi', 'macd'], 'rsi')).toEqual(['macd'])
})
