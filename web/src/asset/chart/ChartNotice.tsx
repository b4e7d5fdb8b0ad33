import { Button, Progress } from '@mantine/core'
import type { AssetState } from 'vivienne-client'
import { pauseWords } from '../../parts/words.ts'
import { useDecision } from '../agent.ts'
import classes from './ChartNotice.module.css'

const TITLES: Partial<Record<AssetState['status'], string>> = {
  warming_up: 'Warming up',
  stale: 'Stale: not to be acted on',
  paused: 'Paused',
  ended: 'Replay ended',
}

interface ChartNoticeProps {
  asset: string
  /** Whether the first bars are on their way. */
  loading: boolean
  /** Why there are no bars at all. */
  error: Error | null
  onRetry: () => void
}

/** In words, over the chart: why it is not what it looks like. */
export function ChartNotice({ asset, loading, error, onRetry }: ChartNoticeProps) {
  const status = useDecision(asset, (decision) => decision.status)
  const reason = useDecision(asset, (decision) => decision.status_reason)
  const title = status && TITLES[status]
  return (
    <div className={classes.notices} role="status">
      {loading && <span className={classes.loading}>Loading the bars</span>}
      {error !== null && (
        <div className={classes.notice} data-bad>
          <strong>The bars cannot be fetched</strong>
          <span>{error.message}</span>
          <Button size="compact-xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
      {title && (
        <div className={classes.notice} data-bad={status === 'stale' || undefined}>
          <strong>{title}</strong>
          {reason && <span>{status === 'paused' ? pauseWords(reason) : reason}</span>}
          {status === 'paused' && <span className={classes.roomy}>The chart goes on; nothing is decided.</span>}
          {status === 'warming_up' && <Warmth reason={reason ?? ''} />}
        </div>
      )}
    </div>
  )
}

/** How far it is, where the reason says "12 of 64 ...". */
function Warmth({ reason }: { reason: string }) {
  const [, done, all] = /(\d+) of (\d+)/.exec(reason) ?? []
  if (done === undefined || all === undefined) return null
  return (
    <Progress
      className={classes.progress}
      size="sm"
      value={(Number(done) / Number(all)) * 100}
      aria-label="Warming up"
    />
  )
}
