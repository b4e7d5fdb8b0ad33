import { Skeleton, UnstyledButton } from '@mantine/core'
import { useVivienneState } from 'vivienne-client/react'
import { isHeld } from '../../overview/standing.ts'
import { DataAge } from '../../parts/DataAge.tsx'
import { dataTime } from '../../parts/dataTime.ts'
import { Flash } from '../../parts/Flash.tsx'
import { formatBarTime, formatBarUtc, formatDelay, formatNumber, formatPrice, formatSize } from '../../parts/format.ts'
import { Level } from '../../parts/Level.tsx'
import { Side } from '../../parts/Side.tsx'
import { ticks } from '../../parts/ticks.ts'
import { FEED_WORDS, isTroubled, marketWords, STATUS_WORDS } from '../../parts/words.ts'
import { PauseControl } from '../../pausing/PauseControl.tsx'
import { sameJson, useDecision } from '../agent.ts'
import { Fresh } from '../Fresh.tsx'
import classes from './AssetHeader.module.css'
import { AssetSwitcher } from './AssetSwitcher.tsx'
import { ConfidenceGauge } from './ConfidenceGauge.tsx'

interface AssetHeaderProps {
  asset: string
  assets: readonly string[]
  onAsset: (asset: string) => void
  onHistory: () => void
}

/** State of the asset in one row. Each figure renders separately. */
export function AssetHeader({ asset, assets, onAsset, onHistory }: AssetHeaderProps) {
  return (
    <header className={`panel ${classes.header}`}>
      <AssetSwitcher asset={asset} assets={assets} onAsset={onAsset} />
      <div className={classes.figures}>
        <LevelNow asset={asset} />
        <Position asset={asset} />
        <ConfidenceGauge asset={asset} />
        <Price asset={asset} />
      </div>
      <div className={`fresh ${classes.state}`}>
        <Status asset={asset} />
        <span className={classes.second}>
          <DataNow asset={asset} />
          <Version asset={asset} onHistory={onHistory} />
        </span>
        <Listed asset={asset} />
      </div>
      <div className={classes.pause}>
        <PauseControl layer={asset} />
      </div>
    </header>
  )
}

function LevelNow({ asset }: { asset: string }) {
  const now = useDecision(
    asset,
    (decision) => ({
      level: decision.clarity_level,
      raw: decision.raw_clarity_level,
      held: isHeld(decision),
      paused: decision.status === 'paused',
    }),
    sameJson,
  )
  return (
    <Fresh asset={asset} className={classes.level}>
      {now ? <Level {...now} size="xl" /> : <Skeleton height={36} width={160} />}
    </Fresh>
  )
}

function Position({ asset }: { asset: string }) {
  const side = useDecision(asset, (decision) => decision.side)
  const size = useDecision(asset, (decision) => decision.position_size)
  if (side === undefined || size === undefined) return <div className={classes.position} />
  return (
    <Fresh asset={asset} className={classes.position}>
      <Side side={side} />
      <Flash value={size} className={classes.second ?? ''}>
        {size === 0 ? 'no position' : `${formatSize(size)} of equity`}
      </Flash>
    </Fresh>
  )
}

/** Characters of a price from which on it is written smaller. */
const LONG = 11

function Price({ asset }: { asset: string }) {
  const price = useDecision(asset, (decision) => decision.price) ?? null
  const text = formatPrice(price, ticks.digits(asset))
  return (
    <Fresh asset={asset} className={classes.price}>
      <Flash value={price} className={text.length > LONG ? (classes.long ?? '') : ''}>
        {text}
      </Flash>
      <MarketTime asset={asset} />
    </Fresh>
  )
}

/** When the price was, by the market's own clock, which in a replay or a simulation is another one than ours. */
function MarketTime({ asset }: { asset: string }) {
  const time = useDecision(asset, (decision) => decision.price_time)
  if (!time) return <span className={classes.second}>no price yet</span>
  return (
    <span className={`figure ${classes.second}`} title={`Time of the market, ${formatBarUtc(time)}`}>
      {formatBarTime(time)}
    </span>
  )
}

function Status({ asset }: { asset: string }) {
  const status = useDecision(asset, (decision) => decision.status)
  const reason = useDecision(asset, (decision) => decision.status_reason)
  const feed = useDecision(asset, (decision) => decision.feed)
  const exchange = useDecision(asset, (decision) => decision.exchange)
  const symbol = useDecision(asset, (decision) => decision.symbol)
  const timeframe = useDecision(asset, (decision) => decision.timeframe)
  if (status === undefined || feed === undefined)
    return <span className={classes.status}>waiting for the first state</span>
  return (
    <span className={classes.status} data-status={status} title={reason ?? undefined}>
      <strong>{STATUS_WORDS[status]}</strong>
      <span className={classes.market}> · {exchange ?? marketWords(feed)}</span>
      {symbol && <span className={classes.symbol}> · {symbol}</span>}
      <Feed asset={asset} /> · {timeframe}
      <History asset={asset} />
    </span>
  )
}

/** How the feed stands with the exchange, where that is worth a word. */
function Feed({ asset }: { asset: string }) {
  const status = useDecision(asset, (decision) => decision.feed_status) ?? null
  const reason = useDecision(asset, (decision) => decision.feed_status_reason)
  if (!isTroubled(status)) return null
  return (
    <>
      {' · '}
      <span className={classes.feed} title={reason ?? undefined}>
        {FEED_WORDS[status]}
      </span>
    </>
  )
}

/** Fewer bars than the full history: there is a decision, and it may be another one with all of them. */
function History({ asset }: { asset: string }) {
  const history = useDecision(asset, ({ history: now, explanation }) => (explanation === null ? null : now), sameJson)
  if (!history || history.bars >= history.of) return null
  const bars = `${formatNumber(history.bars)} of ${formatNumber(history.of)} bars`
  return (
    <span
      className={classes.history}
      title={`Decided from ${bars}: support and resistance levels older than that are missing`}
    >
      history: {bars}
    </span>
  )
}

/** Age of the data behind the rest of the header. */
function DataNow({ asset }: { asset: string }) {
  const second = useVivienneState(asset, (state) => state && dataTime(state))
  const limit = useDecision(asset, (decision) => decision.data_age_limit) ?? null
  return (
    <span className={classes.age}>
      {second !== undefined && (
        <>
          data <DataAge second={second} limit={limit} />
        </>
      )}
      <Delay asset={asset} />
    </span>
  )
}

/** How late the messages of the exchange come. */
function Delay({ asset }: { asset: string }) {
  // No more is told apart than is shown.
  const text = useDecision(asset, ({ data_delay }) => (data_delay == null ? null : formatDelay(data_delay))) ?? null
  if (text === null) return null
  return (
    <span
      className={classes.delay}
      title="By how much the newest message of the exchange came later than the quickest, whatever the clocks say"
    >
      {' · '}delay <span className="figure">{text}</span>
    </span>
  )
}

/** On a phone: symbol and delay in a line of their own. */
function Listed({ asset }: { asset: string }) {
  const symbol = useDecision(asset, (decision) => decision.symbol) ?? null
  if (symbol === null) return null
  return (
    <span className={`${classes.second} ${classes.listed}`}>
      {symbol}
      <Delay asset={asset} />
    </span>
  )
}

function Version({ asset, onHistory }: { asset: string; onHistory: () => void }) {
  const version = useVivienneState(asset, (state) => state?.config_version)
  if (version === undefined) return null
  return (
    <UnstyledButton className={classes.version} onClick={onHistory} title="Open the history">
      <Flash value={version}>
        <strong>v{version}</strong> in force
      </Flash>
    </UnstyledButton>
  )
}
