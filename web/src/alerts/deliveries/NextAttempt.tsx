import { useServerNow } from '../../clock/useNow.ts'
import { formatDuration, formatTime } from '../../parts/format.ts'

/** So long after its time a first attempt waits for the messages before it. */
const BEHIND_MS = 3_000

interface NextAttemptProps {
  at: string
  /** No attempt was made yet. */
  isFirst: boolean
  className?: string | undefined
}

/** When a message is attempted next. */
export function NextAttempt({ at, isFirst, className = '' }: NextAttemptProps) {
  const now = useServerNow()
  const left = now === null ? null : Date.parse(at) - now
  return (
    <span className={`figure ${className}`} title={formatTime(at)}>
      {words(left, isFirst)}
    </span>
  )
}

function words(left: number | null, isFirst: boolean): string {
  if (left !== null && isFirst && left < -BEHIND_MS) return 'waits for those before it'
  return left === null || left <= 0 ? 'next attempt now' : `next attempt in ${formatDuration(left)}`
}
