import { UnstyledButton } from '@mantine/core'
import { useMemo, useSyncExternalStore } from 'react'
import type { ChartBar, Indicators } from 'vivienne-client'
import { formatPrice, formatVolume } from '../../parts/format.ts'
import { ticks } from '../../parts/ticks.ts'
import { sameJson, useDecision, useInForce } from '../agent.ts'
import type { Look } from './address.ts'
import { PANES, type PaneId } from './address.ts'
import { isDecided } from './decisions.ts'
import classes from './Legend.module.css'
import { LAYERS, type Layer, type LayerId } from './layers.ts'
import type { PriceChart } from './PriceChart.ts'
import { PANE_WORDS } from './paneWords.ts'
import { SourceMarks } from './SourceMarks.tsx'

interface LegendProps {
  asset: string
  chart: PriceChart | null
  hidden: ReadonlySet<LayerId>
  onToggle: (layer: LayerId) => void
  /** The bars that are drawn. */
  bars: readonly ChartBar[]
  /** The longer timeframe that is drawn, if one is. */
  look: Look | null
  panes: readonly PaneId[]
  /** Opens or closes a pane. */
  onPane: (pane: PaneId) => void
}

/** Layers of the chart, with their figures under the crosshair; each can be switched off. */
export function Legend({ asset, chart, hidden, onToggle, bars, look, panes, onPane }: LegendProps) {
  const indicators = useInForce(asset, (configuration) => configuration.indicators, sameJson)
  const currency = useDecision(asset, (decision) => decision.quote_currency) ?? null
  const digits = ticks.digits(asset)
  const characters = useMemo(() => {
    const highest = bars.reduce((most, bar) => Math.max(most, bar.high), 0)
    return formatPrice(highest, digits).length
  }, [bars, digits])
  const recomputed = bars.some((bar) => bar.recomputed && isDecided(bar))
  // A longer bar has no decision, and no indicator of its own.
  const layers = look === null ? LAYERS : LAYERS.filter(({ id }) => id === 'volume' || id === 'changes')
  return (
    <ul className={classes.legend} aria-label="What the chart shows">
      {layers.map((layer) => (
        <li key={layer.id}>
          <UnstyledButton
            className={classes.layer}
            aria-pressed={!hidden.has(layer.id)}
            title={`${layer.hint}. Click to ${hidden.has(layer.id) ? 'show' : 'hide'}.`}
            onClick={() => onToggle(layer.id)}
          >
            <Swatch layer={layer} />
            <span>{titled(layer, indicators, currency)}</span>
            {layer.columns.length > 0 && (
              <Figures
                asset={asset}
                layer={layer}
                quoted={currency !== null}
                chart={chart}
                characters={layer.id === 'volume' ? VOLUME : characters}
              />
            )}
          </UnstyledButton>
        </li>
      ))}
      {look === null &&
        PANES.map((pane) => (
          <li key={pane}>
            <PaneButton pane={pane} panes={panes} onPane={onPane} />
          </li>
        ))}
      {recomputed && look === null && !hidden.has('decisions') && <Recomputed />}
      <SourceMarks bars={bars} />
    </ul>
  )
}

/** Names how bars from before the start are drawn. */
function Recomputed() {
  return (
    <li
      className={classes.layer}
      title="Nobody decided these bars when they closed. Their decisions are recomputed with the configuration now in force."
    >
      <svg className={classes.swatch} data-color="aim" viewBox="0 0 18 12" aria-hidden="true">
        <path d="M2 2.5h14M2 5.5h14M2 8.5h14M2 11.5h14" stroke="currentColor" strokeWidth="1" />
      </svg>
      <span>Striped: recomputed</span>
    </li>
  )
}

/** Switches a pane below the candles. */
function PaneButton({ pane, panes, onPane }: { pane: PaneId } & Pick<LegendProps, 'panes' | 'onPane'>) {
  const open = panes.includes(pane)
  const word = PANE_WORDS[pane]
  return (
    <UnstyledButton
      className={classes.layer}
      data-pane
      aria-pressed={open}
      title={`${open ? 'Close' : 'Open'} the pane ${word} below the candles`}
      onClick={() => onPane(pane)}
    >
      <svg viewBox="0 0 12 12" className={classes.pane} aria-hidden>
        <path d="M1 1h10v10H1z M1 7.5h10" />
      </svg>
      <span>{word}</span>
    </UnstyledButton>
  )
}

/** The title with the period in force, or with the currency. */
function titled({ id, title }: Layer, indicators: Indicators | undefined, currency: string | null): string {
  if (id === 'volume' && currency !== null) return `Volume ${currency}`
  if (indicators === undefined) return title
  if (id === 'ema_fast') return `EMA ${indicators.ema_fast_period}`
  if (id === 'ema_slow') return `EMA ${indicators.ema_slow_period}`
  if (id === 'vwap') return `VWAP ${indicators.vwap_minutes}m`
  if (id === 'bands') return `Bands ${indicators.bollinger_period}, ${indicators.bollinger_deviations}`
  return title
}

const nothing = () => () => {}

interface FiguresProps {
  asset: string
  layer: Layer
  /** The volume is in quote currency. */
  quoted: boolean
  chart: PriceChart | null
  /** Of the longest figure: the crosshair must not move what stands behind it, and with it the chart. */
  characters: number
}

/** Characters of a volume, such as "999.9K". */
const VOLUME = 6
const SEPARATOR = ' / '

/** The figures of a layer; renders only when they change. */
function Figures({ asset, layer, quoted, chart, characters }: FiguresProps) {
  // The middle of the bands is one of the averages, or near to it.
  const columns = layer.columns.filter((column) => column !== 'bollinger_middle')
  const text = useSyncExternalStore(chart?.onReading ?? nothing, () => {
    const reading = chart?.reading()
    if (!reading) return '-'
    const digits = ticks.digits(asset)
    const source = reading.open && layer.id === 'volume' ? reading.candle : reading.bar
    return columns
      .map((column) => {
        const value = source?.[quoted && column === 'volume' ? 'quote_volume' : (column as 'volume')] ?? null
        if (value === null) return '-'
        return layer.id === 'volume' ? formatVolume(value) : formatPrice(value, digits)
      })
      .join(SEPARATOR)
  })
  const width = columns.length * characters + (columns.length - 1) * SEPARATOR.length
  return (
    <span className={`figure fresh ${classes.figures}`} data-layer={layer.id} style={{ minWidth: `${width}ch` }}>
      {text}
    </span>
  )
}

/** Small sample of the drawing of a layer. */
function Swatch({ layer: { stroke, color } }: { layer: Layer }) {
  const dashes = { dashed: '4 3', 'long dashes': '6 4', dots: '0.1 4' }[stroke as 'dashed']
  return (
    <svg className={classes.swatch} data-color={color} viewBox="0 0 18 12" aria-hidden="true">
      {stroke === 'bars' ? (
        <path d="M2 12V5h3v7zM7.5 12V2h3v10zM13 12V7h3v5z" fill="currentColor" />
      ) : stroke === 'triangle' ? (
        <path d="M9 1.5 14.5 10.5H3.5z" fill="currentColor" />
      ) : stroke === 'flag' ? (
        <path d="M5 0v12M5 1h9l-2.5 2.5L14 6H5" fill="none" stroke="currentColor" strokeWidth="1.5" />
      ) : (
        <path
          d="M1 6h16"
          stroke="currentColor"
          strokeWidth={stroke === 'thin' || stroke === 'solid' ? 1.5 : 2.5}
          strokeDasharray={dashes}
          strokeLinecap="round"
        />
      )}
    </svg>
  )
}
