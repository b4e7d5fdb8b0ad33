import { useNow } from './clock.ts'
import { formatAge, formatTime, formatUtc } from './format.ts'

/** How long ago something was; the time itself, in the viewer's zone and in UTC, on hover. */
export function Age({ time }: { time: string | number }) {
  const now = useNow()
  const moment = new Date(time)
  return (
    <time className="figure" dateTime={moment.toISOString()} title={`${formatTime(time)}\n${formatUtc(time)}`}>
      {formatAge(now - moment.getTime())}
    </time>
  )
}
