import { useCallback, useEffect, useRef, useState } from 'react'
import { useInSight } from '../../parts/watching.ts'
import { useDecision } from '../agent.ts'
import type { ChartAddress, PaneId } from './address.ts'
import type { LayerId } from './layers.ts'
import { looksBeside } from './look.ts'
import type { Measuring } from './tools/Measure.tsx'
import { useDrawnBars, useFollowedBars } from './useFollowedBars.ts'
import { type UsedPast, usePast } from './usePast.ts'
import { usePriceChart } from './usePriceChart.ts'
import { useView } from './useView.ts'

/** Bars to fetch where the range alone would not do. */
const MOST_BARS = 1_000

/** Layers that mean the decided bars, which longer ones do not have. */
const OF_DECIDED: readonly LayerId[] = ['bands', 'ema_fast', 'ema_slow', 'vwap', 'support', 'resistance', 'decisions']
const NO_PANES: readonly PaneId[] = []

/**
 * True once the bars around a moment are there, or cannot be had.
 *
 * @param fetched true once there are bars at all
 */
function useReached(moment: string | null, fetched: boolean, goTo: UsedPast['goTo']): boolean {
  const [reached, setReached] = useState<string | null>(null)
  useEffect(() => {
    if (moment === null || !fetched) return
    let left = false
    void goTo(moment).then(() => left || setReached(moment))
    return () => {
      left = true
    }
  }, [moment, fetched, goTo])
  return fetched && (moment === null || reached === moment)
}

/** A chart of an asset as the address wants it, with the bars it draws; `chosen` is the bar to be in sight. */
export function useChart(
  asset: string,
  address: ChartAddress,
  range: number,
  panes: readonly PaneId[],
  hidden: ReadonlySet<LayerId>,
  chosen: string | null = null,
) {
  const [chart, canvas] = usePriceChart()
  const stage = useRef<HTMLDivElement>(null)
  // An address that names a moment may be an old one.
  const [deep] = useState(address.view?.end != null)
  const bars = useFollowedBars(asset, deep || address.look !== null ? MOST_BARS : range, useInSight(stage))
  const past = usePast(asset, bars.data, chart)
  const { shown, goTo, leave } = past
  const decided = bars.data?.timeframe
  const look =
    decided !== undefined && address.look !== null && looksBeside(decided).includes(address.look) ? address.look : null
  useDrawnBars(chart, asset, shown, look, past.live)
  const fetched = bars.data !== undefined && !bars.isPlaceholderData
  const reached = useReached(address.view?.end ?? chosen, fetched, goTo)
  useView(chart, stage, reached, look ?? decided, range, address.view, address.setView)
  const showNewest = useCallback(() => {
    if (past.live) chart?.show({ bars: range, end: null })
    else leave()
    address.setView(null)
  }, [past.live, chart, range, leave, address])
  useEffect(() => chart?.setHidden(look === null ? hidden : new Set([...hidden, ...OF_DECIDED])), [chart, hidden, look])
  const quoted = useDecision(asset, (decision) => decision.quote_currency != null)
  useEffect(() => chart?.setVolume(quoted ? 'quote_volume' : 'volume'), [chart, quoted])
  useEffect(() => chart?.setLogarithmic(address.logarithmic), [chart, address.logarithmic])
  const [measuring, setMeasuring] = useState<Measuring>(null)
  return {
    decided,
    stage: {
      asset,
      chart,
      canvas,
      stage,
      bars,
      past,
      showNewest,
      range,
      look,
      measuring,
      onMeasuring: setMeasuring,
      marked: !hidden.has('changes'),
      panes: look === null ? panes : NO_PANES,
      onClosePane: (pane: PaneId) => address.togglePane(pane, panes),
    },
  }
}
