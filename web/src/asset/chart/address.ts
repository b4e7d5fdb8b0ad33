import { useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { useChangedAddress } from '../../app/address.ts'
import type { View } from './ChartView.ts'

/** Numbers of bars the chart can show. */
export const RANGES = [100, 300, 1000] as const
export type Range = (typeof RANGES)[number]

/** Timeframes to look at, besides the decided one. */
export const LOOKS = ['1h', '4h', '1d'] as const
export type Look = (typeof LOOKS)[number]

/** Panes below the candles, in their order. */
export const PANES = ['rsi', 'macd', 'confidence'] as const
export type PaneId = (typeof PANES)[number]

/** What a chart shows and how, as the address has it. */
export interface ChartSettings {
  /** Number of bars shown; null while the address does not say. */
  readonly range: Range | null
  /** Part of the bars in sight, where somebody has moved or zoomed it. */
  readonly view: View | null
  /** Null while the address does not say. */
  readonly panes: readonly PaneId[] | null
  readonly logarithmic: boolean
  /** Null for the decided timeframe. */
  readonly look: Look | null
}

export interface ChartAddress extends ChartSettings {
  setRange(range: Range): void
  setView(view: View | null): void
  /** Opens or closes a pane; `shown` are open while the address does not say. */
  togglePane(pane: PaneId, shown: readonly PaneId[]): void
  setLogarithmic(logarithmic: boolean): void
  setLook(look: Look | null): void
}

/** The settings in an address; what it says wrongly counts as not said. */
export function chartSettings(search: URLSearchParams): ChartSettings {
  const bars = Number(search.get('range'))
  const panes = search.get('panes')
  const said = panes === null ? [] : panes.split(',')
  return {
    range: RANGES.find((range) => range === bars) ?? null,
    view: viewOf(search.get('view')),
    panes: panes === null ? null : PANES.filter((pane) => said.includes(pane)),
    logarithmic: search.get('scale') === 'log',
    look: LOOKS.find((look) => look === search.get('timeframe')) ?? null,
  }
}

/** A view as the address has it: `180`, or `180@2026-05-04T12:00Z` away from the newest bar. */
export function viewText({ bars, end }: View): string {
  return end === null ? String(bars) : `${bars}@${new Date(end).toISOString().slice(0, 16)}Z`
}

/** The view in such a text; null if it is none. */
export function viewOf(text: string | null): View | null {
  const [, count, time] = /^(\d{1,4})(?:@(\d{4}-\d\d-\d\dT\d\d:\d\dZ))?$/.exec(text ?? '') ?? []
  const bars = Number(count)
  if (count === undefined || bars < 1) return null
  if (time === undefined) return { bars, end: null }
  const moment = Date.parse(time)
  return Number.isNaN(moment) ? null : { bars, end: new Date(moment).toISOString() }
}

/** Panes with one more or one less, in their order. */
export function toggled(panes: readonly PaneId[], pane: PaneId): PaneId[] {
  return PANES.filter((other) => (other === pane) !== panes.includes(other))
}

/** Settings of the charts on a page, kept in its address so that they survive a reload and can be sent. */
export function useChartAddress(): ChartAddress {
  const [search] = useSearchParams()
  const set = useChangedAddress()
  return useMemo(
    () => ({
      ...chartSettings(search),
      setRange: (range) => set({ range: String(range), view: null }),
      setView: (view) => set({ view: view === null ? null : viewText(view) }),
      togglePane: (pane, shown) => {
        // As they are now: with two quick clicks those of the last render are older.
        const open = chartSettings(new URLSearchParams(window.location.search)).panes ?? shown
        set({ panes: toggled(open, pane).join(',') || 'none' })
      },
      setLogarithmic: (logarithmic) => set({ scale: logarithmic ? 'log' : null }),
      setLook: (look) => set({ timeframe: look, view: null }),
    }),
    [search, set],
  )
}
