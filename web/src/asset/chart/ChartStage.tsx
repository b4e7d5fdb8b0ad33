import { Button } from '@mantine/core'
import { IconChevronsRight } from '@tabler/icons-react'
import type { useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, lazy, type RefObject, Suspense } from 'react'
import type { Chart } from 'vivienne-client'
import { loaded } from '../../app/code.ts'
import { ticks } from '../../parts/ticks.ts'
import { useDecision } from '../agent.ts'
import classes from './AssetChart.module.css'
import type { Look, PaneId } from './address.ts'
import { ChangeMarks } from './ChangeMarks.tsx'
import { ChartNotice, useAway } from './ChartNotice.tsx'
import type { PriceChart } from './PriceChart.ts'
import type { Measuring } from './tools/Measure.tsx'
import type { UsedPast } from './usePast.ts'

/** Loaded when the candles are there: they come first. */
const Measure = lazy(async () => ({ default: (await loaded(() => import('./tools/Measure.tsx'))).Measure }))
const Panes = lazy(async () => ({ default: (await loaded(() => import('./tools/Panes.tsx'))).Panes }))

interface ChartStageProps {
  asset: string
  chart: PriceChart | null
  /** Element of the canvas. */
  canvas: RefObject<HTMLDivElement | null>
  /** The part of the page around it, for what is seen and moved. */
  stage: RefObject<HTMLDivElement | null>
  bars: ReturnType<typeof useQuery<Chart>>
  past: UsedPast
  showNewest: () => void
  look: Look | null
  marked: boolean
  panes: readonly PaneId[]
  onClosePane: (pane: PaneId) => void
  onField: (path: string) => void
  measuring: Measuring
  onMeasuring: (measuring: Measuring) => void
}

/** The canvas of a chart, with everything over it. */
export function ChartStage(props: ChartStageProps) {
  const { asset, chart, canvas, stage, bars, past, look, measuring, onMeasuring } = props
  const stale = useDecision(asset, (decision) => decision.status === 'stale')
  return (
    <div ref={stage} className={classes.stage}>
      {/* biome-ignore lint/a11y/useSemanticElements: a canvas is no fieldset */}
      <div
        ref={canvas}
        className={`fresh ${classes.canvas}`}
        data-stale={stale || undefined}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the crosshair is moved with the keys
        tabIndex={0}
        aria-label={`Price of ${asset}. Arrow keys read bar by bar, plus and minus zoom, 0 shows all, Enter explains the bar, M measures from it, Escape removes the crosshair.`}
        onKeyDown={(event) => {
          if (chart === null) return
          if (event.key === 'm' && isPlain(event)) onMeasuring(measuring === 'keys' ? null : 'keys')
          else if (!pressed(chart, event, props.showNewest)) return
          else if (event.key === 'Escape') onMeasuring(null)
          event.preventDefault()
        }}
        onDoubleClick={props.showNewest}
      />
      {chart !== null && past.shown && props.marked && (
        <ChangeMarks asset={asset} chart={chart} data={past.shown} look={look} />
      )}
      <ChartNotice
        asset={asset}
        chart={chart}
        loading={bars.isLoading}
        error={bars.data ? null : bars.error}
        onRetry={() => void bars.refetch()}
      />
      {chart !== null && bars.data && (
        <Suspense>
          {props.panes.length > 0 && (
            <Panes
              asset={asset}
              chart={chart}
              panes={props.panes}
              onField={props.onField}
              onClose={props.onClosePane}
            />
          )}
          <Measure
            chart={chart}
            stage={stage}
            timeframe={look ?? bars.data.timeframe}
            digits={ticks.digits(asset)}
            measuring={measuring}
            onEnd={() => onMeasuring(null)}
          />
        </Suspense>
      )}
      {chart !== null && <NewestButton chart={chart} live={past.live} onNewest={props.showNewest} />}
      <OlderNotice past={past} />
      <Attribution />
    </div>
  )
}

/** Leads back to the newest bar when it is out of sight. */
function NewestButton({ chart, live, onNewest }: { chart: PriceChart; live: boolean; onNewest: () => void }) {
  if (!useAway(chart) && live) return null
  return (
    <Button
      className={classes.newest}
      size="compact-sm"
      variant="default"
      rightSection={<IconChevronsRight size={14} aria-hidden />}
      onClick={() => (live ? chart.view.showNewest() : onNewest())}
    >
      Newest bar
    </Button>
  )
}

/** Says that older bars are on their way, or why there are none. */
function OlderNotice({ past: { loading, error } }: { past: UsedPast }) {
  if (!loading && error === null) return null
  return (
    <p className={classes.older} role="status">
      {error === null ? 'Loading older bars' : `Older bars could not be loaded: ${error}`}
    </p>
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

function isPlain({ ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return !ctrlKey && !metaKey && !altKey
}

/** Apply a key to the chart; false if it has no meaning. */
function pressed(chart: PriceChart, event: KeyboardEvent, showNewest: () => void): boolean {
  if (!isPlain(event)) return false
  const { key, shiftKey } = event
  const far = shiftKey ? 10 : 1
  if (key === 'ArrowLeft') chart.step(-far)
  else if (key === 'ArrowRight') chart.step(far)
  else if (key === 'Home') chart.step(Number.NEGATIVE_INFINITY)
  else if (key === 'End') chart.step(Number.POSITIVE_INFINITY)
  else if (key === '+' || key === '=') chart.view.zoom(1.25)
  else if (key === '-') chart.view.zoom(0.8)
  else if (key === '0') showNewest()
  else if (key === 'Enter') chart.choosePointed()
  else if (key === 'Escape') chart.step(null)
  else return false
  return true
}
