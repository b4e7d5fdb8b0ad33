import { useNow } from './clock.ts'
import { formatAge, formatTime, formatUtc } from './format.ts'

/** Age of something; on hover, the time in the viewer's zone and in UTC, after a note. */
export function Age({ time, note }: { time: string | number; note?: string }) {
  const now = useNow()
  const moment = new Date(time)
  const title = [note, formatTime(time), formatUtc(time)].filter((line) => line !== undefined).join('\n')
  return (
    <time className="figure" dateTime={moment.toISOString()} title={title}>
      {formatAge(now - moment.getTime())}
    </time>
  )
}
