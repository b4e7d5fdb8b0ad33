import { expect, test } from 'vitest'
import { heldRows, setupRows, timeOf, withEntries } from './rows.ts'

const outcomes = (known: number, hit_rate: number | null, mean_return: number | null) => ({
  entries: known + 1,
  returns: [
    { bars: 4, known: known + 1, mean_return: 0, deviation: 1, hit_rate: 0 },
    { bars: 16, known, mean_return, deviation: 1, hit_rate },
  ],
  largest_gain_atr: 2,
  largest_loss_atr: 1,
})

test('entries are counted in whole numbers, those whose return is known apart', () => {
  expect(setupRows([{ name: 'aim', outcomes: outcomes(3, 2 / 3, 0.5) }], 16)).toEqual([
    { name: 'aim', entries: 4, known: 3, hits: 2, mean: 0.5, deviation: 1, gain: 2, loss: 1 },
  ])
  expect(setupRows([{ name: 'aim', outcomes: outcomes(3, 2 / 3, 0.5) }], 4)[0]).toMatchObject({ known: 4, hits: 0 })
})

test('a filter was right as often as what it held would have lost, which is not what gained nothing', () => {
  const [levels] = heldRows([{ filter: 'levels', outcomes: outcomes(10, 0.4, -0.1), held_right: 0.5 }])
  expect(levels).toMatchObject({ known: 10, hits: 5, mean: -0.1 })
  const [none] = heldRows([{ filter: 'levels', outcomes: outcomes(0, null, null), held_right: null }])
  expect(none).toMatchObject({ known: 0, hits: 0, mean: null })
})

test('kinds without an entry are only named', () => {
  const rows = setupRows(
    [
      { name: '00', outcomes: { ...outcomes(0, null, null), entries: 0 } },
      { name: '01', outcomes: outcomes(1, 1, 1) },
    ],
    16,
  )
  const { shown, none } = withEntries(rows)
  expect([shown.map(({ name }) => name), none]).toEqual([['01'], ['00']])
})

test('bars are told as a time', () => {
  expect([1, 4, 16, 96].map((bars) => timeOf(bars, 900_000))).toEqual(['15 min', '1 h', '4 h', '24 h'])
  expect(timeOf(96, 3_600_000)).toBe('4 d')
})
