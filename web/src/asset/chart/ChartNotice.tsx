import { Button, Progress } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { AssetState } from 'vivienne-client'
import { pausedState } from '../../pausing/words.ts'
import { sameJson, useDecision } from '../agent.ts'
import classes from './ChartNotice.module.css'
import type { PriceChart } from './PriceChart.ts'

const TITLES: Partial<Record<AssetState['status'], string>> = {
  warming_up: 'Warming up',
  stale: 'Stale: not to be acted on',
  paused: 'Paused',
  ended: 'Replay ended',
}

interface ChartNoticeProps {
  asset: string
  chart: PriceChart | null
  /** True if the first bars are on their way. */
  loading: boolean
  /** Reason why there are no bars. */
  error: Error | null
  onRetry: () => void
}

/** Notice over the chart, in words, while its data is not live. */
export function ChartNotice({ asset, chart, loading, error, onRetry }: ChartNoticeProps) {
  const status = useDecision(asset, (decision) => decision.status)
  const reason = useDecision(asset, (decision) => decision.status_reason)
  const pause = useDecision(asset, pausedState)
  const away = useAway(chart)
  // That there is no newer bar is nothing to know for who looks at older ones; what is not to be acted on always is.
  const title = status && !(away && status === 'ended') && TITLES[status]
  return (
    <div className={classes.notices} role="status">
      {loading && <span className={classes.loading}>Loading the bars</span>}
      {error !== null && (
        <div className={classes.notice} data-bad>
          <strong>The bars could not be loaded</strong>
          <span>{error.message}</span>
          <Button size="compact-xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
      {title && (
        <div
          className={classes.notice}
          data-bad={status === 'stale' || undefined}
          data-ended={status === 'ended' || undefined}
          title={reason ?? undefined}
        >
          <strong>{title}</strong>
          {reason && <span className={classes.reason}>{status === 'paused' ? pause : reason}</span>}
          {status === 'paused' && <span className={classes.roomy}>The chart continues; nothing is decided.</span>}
          {status === 'warming_up' && <Warmth asset={asset} />}
        </div>
      )}
    </div>
  )
}

/** True while the newest bar is out of sight. */
export function useAway(chart: PriceChart | null): boolean {
  const [away, setAway] = useState(false)
  useEffect(() => chart?.onView(() => setAway(!chart.view.atNewest())), [chart])
  return away
}

/** Bars of history, of those that a decision needs. */
function Warmth({ asset }: { asset: string }) {
  const history = useDecision(asset, (decision) => decision.history, sameJson)
  if (history === undefined) return null
  const { bars, needed } = history
  return (
    <Progress
      className={classes.progress}
      size="sm"
      value={Math.min(1, bars / needed) * 100}
      aria-label={`Warming up: ${bars} of ${needed} bars`}
    />
  )
}
