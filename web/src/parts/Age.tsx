import { useServerNow } from '../clock/useNow.ts'
import { formatAge, formatTime, formatUtc } from './format.ts'

/** Age of something by the clock of the server, of whose time it is; on hover, the time in the viewer's zone and in UTC, after a note. */
export function Age({ time, note }: { time: string | number; note?: string }) {
  const now = useServerNow()
  const moment = new Date(time)
  const title = [note, formatTime(time), formatUtc(time)].filter((line) => line !== undefined).join('\n')
  return (
    <time className="figure" dateTime={moment.toISOString()} title={title}>
      {now === null ? formatTime(time) : formatAge(now - moment.getTime())}
    </time>
  )
}
