import { useSyncExternalStore } from 'react'
import type { ChartBar } from 'vivienne-client'
import { formatBarTime, formatBarUtc, formatChange, formatConfidence, formatPrice } from '../../parts/format.ts'
import { Level } from '../../parts/Level.tsx'
import { Side } from '../../parts/Side.tsx'
import { ticks } from '../../parts/ticks.ts'
import { useZone } from '../../parts/zone.ts'
import { useDecision, useLimits } from '../agent.ts'
import type { Look } from './address.ts'
import { isDecided, statusWords } from './decisions.ts'
import type { PriceChart, Reading } from './PriceChart.ts'
import classes from './ReadingLine.module.css'
import { SourceMark } from './SourceMarks.tsx'
import { SOURCE_HINTS, SOURCE_WORDS, unusual } from './sources.ts'

const nothing = () => () => {}

interface ReadingLineProps {
  asset: string
  chart: PriceChart | null
  /** The longer timeframe that is drawn, if one is: its bars are not decided. */
  look?: Look | null
}

/** Prices of the bar under the crosshair, and the decision on it; without a crosshair, of the newest bar. */
export function ReadingLine({ asset, chart, look = null }: ReadingLineProps) {
  const stale = useDecision(asset, (decision) => decision.status === 'stale')
  const limits = useLimits(asset)
  const zone = useZone()
  const reading = useSyncExternalStore(chart?.onReading ?? nothing, chart?.reading ?? (() => null))
  if (reading === null) return <div className={classes.line} />
  return (
    <div className={`fresh ${classes.line}`} data-stale={stale || undefined}>
      <span className={classes.time} title={formatBarUtc(reading.candle.time)}>
        <span className="figure">{formatBarTime(reading.candle.time)}</span>
        {zone === 'local' && <span className={`figure ${classes.utc}`}>{formatBarUtc(reading.candle.time)}</span>}
      </span>
      <Prices reading={reading} digits={ticks.digits(asset)} />
      <SourceOf reading={reading} />
      {look === null && <Decided reading={reading} limits={limits} />}
      {reading.pointed && <Spoken reading={reading} look={look} digits={ticks.digits(asset)} limits={limits} />}
    </div>
  )
}

/** Where the bar came from, where that is unusual. */
function SourceOf({ reading: { candle, bar, open } }: { reading: Reading }) {
  const source = unusual(open || bar === null ? { ...candle, recomputed: false } : bar)
  if (source === null) return null
  return (
    <span className={classes.source} title={SOURCE_HINTS[source]}>
      <SourceMark source={source} />
      {SOURCE_WORDS[source].toLowerCase()}
    </span>
  )
}

function Prices({ reading: { candle }, digits }: { reading: Reading; digits: number }) {
  const change = (candle.close - candle.open) / candle.open
  const way = change < 0 ? 'down' : 'up'
  return (
    <dl className={classes.prices}>
      {(['open', 'high', 'low', 'close'] as const).map((name) => (
        <div key={name}>
          <dt title={name}>{name[0]?.toUpperCase()}</dt>
          <dd className="figure">{formatPrice(candle[name], digits)}</dd>
        </div>
      ))}
      <div className={classes.change} data-way={way}>
        <dt className="unseen">Change</dt>
        <dd className="figure">{formatChange(change)}</dd>
      </div>
    </dl>
  )
}

interface DecidedProps {
  reading: Reading
  /** Those in force; a bar of an earlier version was decided with others. */
  limits: readonly number[]
}

/** The decision on the bar. An open bar has none, and says when it will, if the crosshair is on it. */
function Decided({ reading: { bar, decision, open, pointed }, limits }: DecidedProps) {
  if (bar === null || decision === null) return null
  if (open) return <span className={classes.open}>{pointed ? 'open: decided when it closes' : 'open'}</span>
  if (!isDecided(bar)) return <span className={classes.open}>{statusWords(bar)}</span>
  return (
    <span className={classes.decided}>
      <Level
        level={bar.clarity_level}
        raw={decision.level}
        held={decision.held}
        paused={bar.status === 'paused'}
        size="sm"
      />
      <Side side={bar.side} />
      <span className="figure">{formatConfidence(bar.signal_confidence, limits)}</span>
      {bar.recomputed ? (
        <span
          className={classes.version}
          title="Not decided when it closed: recomputed with the configuration now in force"
        >
          recomputed
        </span>
      ) : (
        <span className={classes.version}>v{bar.config_version}</span>
      )}
    </span>
  )
}

interface SpokenProps extends DecidedProps {
  look: Look | null
  digits: number
}

/** The same in a sentence for those who read the chart with the keys. */
function Spoken({ reading: { candle, bar, open }, look, digits, limits }: SpokenProps) {
  const words = bar === null || look !== null ? `bar of ${look}, not decided` : spokenDecision(bar, limits)
  const decided = bar === null || open ? 'open' : words
  return (
    <span className="unseen" aria-live="polite">
      {formatBarTime(candle.time)}: close {formatPrice(candle.close, digits)}; {decided}
    </span>
  )
}

function spokenDecision(bar: ChartBar, limits: readonly number[]): string {
  const made = `${bar.clarity_level}, ${bar.side}, ${formatConfidence(bar.signal_confidence, limits)}`
  return [isDecided(bar) ? made : null, statusWords(bar)].filter((part) => part !== null).join(', ')
}
