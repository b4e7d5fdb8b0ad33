import { useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { useChangedAddress } from '../app/address.ts'

/** Panel beside the chart, or in its place on a narrow screen; `none` is the chart alone. */
export type Panel = 'configuration' | 'history' | 'why' | 'none'
const PANELS: readonly string[] = ['configuration', 'history', 'why', 'none'] satisfies Panel[]

export interface AssetAddress {
  /** Null while the address does not say. */
  readonly panel: Panel | null
  /** Path of the value the configuration shows. */
  readonly field: string | null
  /** When the bar opened whose decision is explained, as ISO 8601; null for the newest. */
  readonly bar: string | null
  /** Explains the decision on a bar; null for the newest one. */
  openBar(time: string | null): void
  openPanel(panel: Panel): void
  openField(path: string): void
}

/** State of the page that its address keeps, so that it survives a reload and can be shared. */
export function useAssetAddress(): AssetAddress {
  const [search] = useSearchParams()
  const change = useChangedAddress()
  const panel = search.get('panel')
  const field = search.get('field')
  const bar = momentOf(search.get('bar'))

  return useMemo(
    () => ({
      panel: panel !== null && PANELS.includes(panel) ? (panel as Panel) : null,
      field,
      bar,
      openBar: (time) => change({ bar: time === null ? null : shortTime(time) }, false),
      openPanel: (next) => change({ panel: next, field: null }, true),
      // To be taken somewhere is a step one can take back, and can be asked for twice.
      openField: (path) => change({ panel: 'configuration', field: path }, false),
    }),
    [panel, field, bar, change],
  )
}

/** Address of the chart of an asset at one bar, with the reasons for the decision on it. */
export function barAddress(asset: string, time: string): string {
  return `/assets/${encodeURIComponent(asset)}?${new URLSearchParams({ panel: 'why', bar: shortTime(time) })}`
}

/** The moment in an address, as ISO 8601; null for what is none. */
function momentOf(text: string | null): string | null {
  const moment = Date.parse(text ?? '')
  return Number.isNaN(moment) ? null : new Date(moment).toISOString()
}

/** The time of a bar as an address has it. */
export function shortTime(time: string): string {
  return `${new Date(time).toISOString().slice(0, 16)}Z`
}
