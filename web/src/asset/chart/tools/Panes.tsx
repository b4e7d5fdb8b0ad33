import { UnstyledButton } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { Configuration } from 'vivienne-client'
import { useVivienneState } from 'vivienne-client/react'
import { formatBeside, formatThreshold } from '../../../parts/format.ts'
import { configurationOf } from '../../agent.ts'
import { fieldWords } from '../../fieldWords.ts'
import type { PaneId } from '../address.ts'
import type { PriceChart } from '../PriceChart.ts'
import { PaneSeries } from './PaneSeries.ts'
import classes from './Panes.module.css'
import { figureOf, PANE, type Threshold } from './panes.ts'

interface PanesProps {
  asset: string
  chart: PriceChart
  panes: readonly PaneId[]
  /** Opens the value behind a threshold. */
  onField: (path: string) => void
  onClose: (pane: PaneId) => void
}

/** Panes below the candles, each with its figure under the crosshair and its thresholds by name. */
export function Panes({ asset, chart, panes, onField, onClose }: PanesProps) {
  const configuration = useConfiguration(asset)
  const [series, setSeries] = useState<PaneSeries | null>(null)
  const list = useRef<HTMLUListElement>(null)
  const wanted = panes.join(',')

  useEffect(() => {
    if (configuration === undefined) return
    const made = new PaneSeries(chart, wanted.split(',') as PaneId[], configuration)
    setSeries(made)
    return () => {
      setSeries(null)
      made.remove()
    }
  }, [chart, wanted, configuration])

  // The panes can be made higher and lower, so their names are placed without rendering.
  useEffect(() => {
    if (series === null) return
    const place = () => {
      for (const [index, top] of series.tops().entries()) {
        const item = list.current?.children[index]
        if (item instanceof HTMLElement) item.style.transform = `translateY(${Math.round(top)}px)`
      }
    }
    place()
    return chart.onView(place)
  }, [chart, series])

  if (configuration === undefined) return null
  return (
    <ul ref={list} className={classes.panes} aria-label="Panes below the chart">
      {panes.map((id) => (
        <li key={id} className={classes.pane}>
          <UnstyledButton
            className={classes.close}
            title={`Close ${PANE[id].title(configuration)}`}
            onClick={() => onClose(id)}
          >
            <IconX size={12} aria-label={`Close ${PANE[id].title(configuration)}`} />
          </UnstyledButton>
          <span className={classes.title} title={PANE[id].hint}>
            {PANE[id].title(configuration)}
          </span>{' '}
          <Figures chart={chart} id={id} configuration={configuration} />{' '}
          {PANE[id].thresholds(configuration).map((threshold) => (
            <ThresholdButton key={threshold.path} id={id} threshold={threshold} onField={onField} />
          ))}
        </li>
      ))}
    </ul>
  )
}

/** The configuration in force; the same object until there is another version. */
function useConfiguration(asset: string): Configuration | undefined {
  return useVivienneState(
    asset,
    (state) => ({ version: state?.config_version, configuration: configurationOf(state) }),
    (one, other) =>
      one?.version === other?.version && (one?.configuration === undefined) === (other?.configuration === undefined),
  )?.configuration
}

function Figures({ chart, id, configuration }: { chart: PriceChart; id: PaneId; configuration: Configuration }) {
  const pane = PANE[id]
  const thresholds = pane.thresholds(configuration).flatMap(({ at }) => at)
  const text = useSyncExternalStore(chart.onReading, () => {
    const bar = chart.reading()?.bar
    if (!bar) return '-'
    return [pane.line, pane.bars]
      .filter((column) => column !== null)
      .map((column) => {
        const value = figureOf(pane, column, bar)
        return value === null ? '-' : formatBeside(value, thresholds, pane.digits)
      })
      .join(' / ')
      .concat(pane.unit)
  })
  return <span className={`figure fresh ${classes.figures}`}>{text}</span>
}

function ThresholdButton({
  id,
  threshold,
  onField,
}: {
  id: PaneId
  threshold: Threshold
  onField: PanesProps['onField']
}) {
  const { path, at, color, stroke } = threshold
  const values = at
    .map((value) => `${formatThreshold(Number(value.toFixed(7)))}${id === 'confidence' ? ' %' : ''}`)
    .join(' / ')
  const name = fieldWords(path)
  return (
    <UnstyledButton
      className={classes.threshold}
      title={`${name}: ${values}. Opens its value.`}
      aria-label={`${name} ${values}: change it`}
      onClick={() => onField(path)}
    >
      <svg viewBox="0 0 18 4" className={classes.stroke} data-color={color} data-stroke={stroke} aria-hidden>
        <path d="M0 2h18" />
      </svg>
      <span className={classes.name}>{name}</span> <span className="figure">{values}</span>
    </UnstyledButton>
  )
}
