import { useMediaQuery } from '@mantine/hooks'
import type { ChartBar } from 'vivienne-client'
import classes from './AssetChart.module.css'
import type { PaneId } from './address.ts'
import { useChartAddress } from './address.ts'
import { BesideButton, FullButton, GoTo, LogarithmicButton, MeasureButton, TimeframeSelect } from './ChartControls.tsx'
import { ChartStage } from './ChartStage.tsx'
import { Legend } from './Legend.tsx'
import { RangeButtons } from './RangeButtons.tsx'
import { ReadingLine } from './ReadingLine.tsx'
import { useChart } from './useChart.ts'
import { useChosenBar } from './useChosenBar.ts'
import { useFull } from './useFull.ts'
import { useHiddenLayers } from './useHiddenLayers.ts'

const WIDE: readonly PaneId[] = ['confidence']
const NARROW: readonly PaneId[] = []
const NO_BARS: readonly ChartBar[] = []

interface AssetChartProps {
  asset: string
  /** When the bar opened that is chosen; null for none. */
  bar: string | null
  /** A closed bar was chosen. */
  onBar: (time: string | null) => void
  onField: (path: string) => void
}

/** Candles, indicators, decisions and configuration changes of an asset, live. */
export function AssetChart({ asset, bar, onBar, onField }: AssetChartProps) {
  const phone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
  const address = useChartAddress()
  const range = address.range ?? (phone ? 100 : 300)
  const panes = address.panes ?? (phone ? NARROW : WIDE)
  const [hidden, toggle] = useHiddenLayers()
  const { decided, reached, stage } = useChart(asset, address, range, panes, hidden, bar)
  useChosenBar(
    stage.chart,
    stage.past.shown,
    reached,
    address.view?.end != null,
    stage.look === null ? bar : null,
    stage.measuring === null ? onBar : null,
  )
  const [full, toggleFull] = useFull()
  return (
    <section className={`panel ${classes.chart}`} aria-label={`Chart of ${asset}`} data-full={full || undefined}>
      <div className={classes.top}>
        <ReadingLine asset={asset} chart={stage.chart} look={stage.look} />
        <RangeButtons range={range} onRange={address.setRange} />
        <div className={classes.controls}>
          <GoTo address={address} range={range} timeframe={stage.look ?? decided} />
          <TimeframeSelect address={address} decided={decided} />
          <LogarithmicButton address={address} />
          <MeasureButton measuring={stage.measuring} onMeasuring={stage.onMeasuring} />
          <BesideButton asset={asset} />
          <FullButton full={full} onFull={toggleFull} />
        </div>
        <Legend
          asset={asset}
          chart={stage.chart}
          hidden={hidden}
          onToggle={toggle}
          bars={stage.past.shown?.bars ?? NO_BARS}
          look={stage.look}
          panes={panes}
          onPane={(pane) => address.togglePane(pane, panes)}
        />
      </div>
      {stage.look !== null && (
        <p className={classes.looking}>
          Candles of {stage.look} are for looking, made of the last {decided} bars. Decisions are made on {decided}.
        </p>
      )}
      <ChartStage {...stage} onField={onField} />
    </section>
  )
}
