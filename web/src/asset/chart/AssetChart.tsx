import { Button } from '@mantine/core'
import { IconChevronsRight } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { Chart, FormingBar } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { ticks } from '../../parts/ticks.ts'
import { barsQuery } from '../../queries.ts'
import { decisionOf, useDecision } from '../agent.ts'
import classes from './AssetChart.module.css'
import { openAfter, withForming } from './bars.ts'
import { ChangeMarks } from './ChangeMarks.tsx'
import { ChartNotice } from './ChartNotice.tsx'
import { followBars } from './followBars.ts'
import { Legend } from './Legend.tsx'
import type { PriceChart } from './PriceChart.ts'
import { RangeButtons } from './RangeButtons.tsx'
import { ReadingLine } from './ReadingLine.tsx'
import { useHiddenLayers } from './useHiddenLayers.ts'
import { usePriceChart } from './usePriceChart.ts'

interface AssetChartProps {
  asset: string
  range: number
  onRange: (range: 100 | 300 | 1000) => void
}

/** Candles, indicators, decisions and configuration changes of an asset, live. */
export function AssetChart({ asset, range, onRange }: AssetChartProps) {
  const [chart, canvas] = usePriceChart()
  const bars = useFollowedBars(asset, range)
  const [hidden, toggle] = useHiddenLayers()
  const stale = useDecision(asset, (decision) => decision.status === 'stale')
  useDrawnBars(chart, asset, bars.data)
  useEffect(() => chart?.setHidden(hidden), [chart, hidden])

  // The range is applied once, to the first bars that arrive for it; later the person controls the view.
  const shown = useRef<{ chart: PriceChart; range: number } | null>(null)
  const ready = bars.data !== undefined && !bars.isPlaceholderData
  useEffect(() => {
    if (chart === null || !ready || (shown.current?.chart === chart && shown.current.range === range)) return
    shown.current = { chart, range }
    chart.show(range)
  }, [chart, ready, range])

  return (
    <section className={`panel ${classes.chart}`} aria-label={`Chart of ${asset}`}>
      <div className={classes.top}>
        <ReadingLine asset={asset} chart={chart} />
        <RangeButtons range={range} onRange={onRange} />
      </div>
      <Legend
        asset={asset}
        chart={chart}
        hidden={hidden}
        onToggle={toggle}
        recomputed={bars.data?.bars.some((bar) => bar.recomputed) ?? false}
      />
      <div className={classes.stage}>
        {/* biome-ignore lint/a11y/useSemanticElements: a canvas is no fieldset */}
        <div
          ref={canvas}
          className={`fresh ${classes.canvas}`}
          data-stale={stale || undefined}
          role="group"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the crosshair is moved with the keys
          tabIndex={0}
          aria-label={`Price of ${asset}. Arrow keys read bar by bar, plus and minus zoom, 0 shows all, Escape removes the crosshair.`}
          onKeyDown={(event) => {
            if (chart !== null && pressed(chart, event, range)) event.preventDefault()
          }}
          onDoubleClick={() => chart?.show(range)}
        />
        {chart !== null && bars.data && !hidden.has('changes') && (
          <ChangeMarks asset={asset} chart={chart} data={bars.data} />
        )}
        <ChartNotice
          asset={asset}
          loading={bars.isLoading}
          error={bars.data ? null : bars.error}
          onRetry={() => void bars.refetch()}
        />
        {chart !== null && <NewestButton chart={chart} />}
        <Attribution />
      </div>
    </section>
  )
}

function useFollowedBars(asset: string, range: number) {
  const queries = useQueryClient()
  const client = useVivienneClient()
  useEffect(() => followBars(queries, client, asset, range), [queries, client, asset, range])
  return useQuery({
    ...barsQuery(asset, range),
    // What was fetched at an earlier visit is shown, and fetched again.
    refetchOnMount: 'always',
    placeholderData: (before: Chart | undefined) => before,
  })
}

/** Draws the fetched bars, and moves the open bar with every price, without rendering React. */
function useDrawnBars(chart: PriceChart | null, asset: string, data: Chart | undefined): void {
  const client = useVivienneClient()
  const open = useRef<readonly FormingBar[]>([])
  const newest = useRef<number | null>(null)
  useEffect(() => {
    if (chart === null || data === undefined) return
    const last = data.bars.at(-1)
    const lastClosed = last === undefined ? null : Date.parse(last.time)
    // After a restart of the server the market starts again, and the bars that were open do not belong to it.
    if (lastClosed === null || lastClosed < (newest.current ?? 0)) open.current = []
    newest.current = lastClosed
    open.current = withForming(open.current, data.forming, lastClosed)
    chart.setBars(data.bars, open.current, ticks.digits(asset))
    const follow = () => {
      const decision = decisionOf(client.states.get(asset))
      if (decision === undefined) return
      const next = openAfter(open.current, decision, lastClosed)
      if (next === open.current) return
      open.current = next
      chart.setOpen(next)
    }
    follow()
    return client.states.subscribe(asset, follow)
  }, [chart, client, asset, data])
}

/** Leads back to the newest bar when it is out of sight. */
function NewestButton({ chart }: { chart: PriceChart }) {
  const [away, setAway] = useState(false)
  useEffect(() => chart.onView(() => setAway(!chart.atNewest())), [chart])
  if (!away) return null
  return (
    <Button
      className={classes.newest}
      size="compact-sm"
      variant="default"
      rightSection={<IconChevronsRight size={14} aria-hidden />}
      onClick={() => chart.showNewest()}
    >
      Newest bar
    </Button>
  )
}

/** Notice that the licence of the charting library requires, in the corner free of axes. */
function Attribution() {
  return (
    <a
      className={classes.attribution}
      href="https://www.tradingview.com/"
      target="_blank"
      rel="noreferrer"
      title={NOTICE}
    >
      TradingView<span className="unseen">: {NOTICE}</span>
    </a>
  )
}

const NOTICE = 'TradingView Lightweight Charts™, copyright (c) 2026 TradingView, Inc. https://www.tradingview.com/'

/** Apply a key to the chart; false if it has no meaning. */
function pressed(
  chart: PriceChart,
  { key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent,
  range: number,
): boolean {
  if (ctrlKey || metaKey || altKey) return false
  const far = shiftKey ? 10 : 1
  if (key === 'ArrowLeft') chart.step(-far)
  else if (key === 'ArrowRight') chart.step(far)
  else if (key === 'Home') chart.step(Number.NEGATIVE_INFINITY)
  else if (key === 'End') chart.step(Number.POSITIVE_INFINITY)
  else if (key === '+' || key === '=') chart.zoom(1.25)
  else if (key === '-') chart.zoom(0.8)
  else if (key === '0') chart.show(range)
  else if (key === 'Escape') chart.step(null)
  else return false
  return true
}
