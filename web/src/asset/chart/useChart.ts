import { useCallback, useEffect, useRef, useState } from 'react'
import { useInSight } from '../../parts/watching.ts'
import { useDecision } from '../agent.ts'
import type { ChartAddress, Look, PaneId } from './address.ts'
import { barLength } from './bars.ts'
import type { LayerId } from './layers.ts'
import { looksBeside } from './look.ts'
import type { Part } from './past.ts'
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

/** Bars of the decided timeframe in one of a longer one. */
function inOne(look: Look, decided: string | undefined): number {
  return decided === undefined ? 1 : barLength(look) / barLength(decided)
}

/** The part that is to be loaded: that of the view or the chosen bar, whichever was named last. A view comes first. */
function useNamed(view: Part | null, chosen: Part | null): Part | null {
  const [viewText, chosenText] = [textOf(view), textOf(chosen)]
  const [named, setNamed] = useState({ viewText, chosenText, part: view ?? chosen })
  if (named.viewText === viewText && named.chosenText === chosenText) return named.part
  const part = viewText !== named.viewText && view !== null ? view : chosenText !== named.chosenText ? chosen : null
  setNamed({ viewText, chosenText, part })
  return part
}

function textOf(part: Part | null): string {
  return part === null ? '' : `${part.bars}@${part.end}`
}

/**
 * True once all bars of a part are there, or cannot be had.
 *
 * @param fetched true once there are bars at all
 */
function useReached(part: Part | null, fetched: boolean, goTo: UsedPast['goTo']): boolean {
  const [reached, setReached] = useState<Part | null>(null)
  useEffect(() => {
    if (part === null || !fetched) return
    let left = false
    void goTo(part).then(() => left || setReached(part))
    return () => {
      left = true
    }
  }, [part, fetched, goTo])
  return fetched && (part === null || reached === part)
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
  const { shown, live, goTo, leave } = past
  const decided = bars.data?.timeframe
  const look =
    decided !== undefined && address.look !== null && looksBeside(decided).includes(address.look) ? address.look : null
  useDrawnBars(chart, asset, shown, look, live)
  const fetched = bars.data !== undefined && !bars.isPlaceholderData
  const named = useNamed(
    address.view && { ...address.view, bars: address.view.bars * (look === null ? 1 : inOne(look, decided)) },
    chosen === null ? null : { bars: 1, end: chosen },
  )
  const reached = useReached(named, fetched, goTo)
  // The newest bars are asked for while older ones are shown alone.
  const onNewest = useCallback(() => live || named !== null || leave(), [live, named, leave])
  useView(chart, stage, reached, look ?? decided, range, address.view, address.setView, onNewest)
  const showNewest = useCallback(() => {
    if (!live) leave()
    chart?.show({ bars: range, end: null })
    address.setView(null)
  }, [live, chart, range, leave, address])
  useEffect(() => chart?.setHidden(look === null ? hidden : new Set([...hidden, ...OF_DECIDED])), [chart, hidden, look])
  const quoted = useDecision(asset, (decision) => decision.quote_currency != null)
  useEffect(() => chart?.setVolume(quoted ? 'quote_volume' : 'volume'), [chart, quoted])
  useEffect(() => chart?.setLogarithmic(address.logarithmic), [chart, address.logarithmic])
  const [measuring, setMeasuring] = useState<Measuring>(null)
  return {
    decided,
    /** True once the bars of the address are there. */
    reached,
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
