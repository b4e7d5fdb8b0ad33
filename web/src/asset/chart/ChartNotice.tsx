import { Button, Progress } from '@mantine/core'
import type { AssetState } from 'vivienne-client'
import { pausedState } from '../../pausing/words.ts'
import { sameJson, useDecision } from '../agent.ts'
import classes from './ChartNotice.module.css'

const TITLES: Partial<Record<AssetState['status'], string>> = {
  warming_up: 'Warming up',
  stale: 'Stale: not to be acted on',
  paused: 'Paused',
  ended: 'Replay ended',
}

interface ChartNoticeProps {
  asset: string
  /** True if the first bars are on their way. */
  loading: boolean
  /** Reason why there are no bars. */
  error: Error | null
  onRetry: () => void
}

/** Notice over the chart, in words, while its data is not live. */
export function ChartNotice({ asset, loading, error, onRetry }: ChartNoticeProps) {
  const status = useDecision(asset, (decision) => decision.status)
  const reason = useDecision(asset, (decision) => decision.status_reason)
  const pause = useDecision(asset, pausedState)
  const title = status && TITLES[status]
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
        <div className={classes.notice} data-bad={status === 'stale' || undefined} title={reason ?? undefined}>
          <strong>{title}</strong>
          {reason && <span className={classes.reason}>{status === 'paused' ? pause : reason}</span>}
          {status === 'paused' && <span className={classes.roomy}>The chart continues; nothing is decided.</span>}
          {status === 'warming_up' && <Warmth asset={asset} />}
        </div>
      )}
    </div>
  )
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
