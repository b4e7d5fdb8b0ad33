import { IconAlertTriangle } from '@tabler/icons-react'
import { Link } from 'react-router'
import type { AlertRule } from 'vivienne-client'
import { useServerNow } from '../clock/useNow.ts'
import { Age } from '../parts/Age.tsx'
import { formatDuration, formatTime, formatUtc } from '../parts/format.ts'
import { Again } from './deliveries/Again.tsx'
import { NextAttempt } from './deliveries/NextAttempt.tsx'
import classes from './NotArrived.module.css'
import { answerWords, channelName, stuckOf, stuckWords, type Undelivered } from './undelivered.ts'

/** Channels of a rule whose messages wait, or whose last one did not arrive: why, since when, and the way to them. */
export function NotArrived({ rule }: { rule: AlertRule }) {
  if (rule.undelivered.length === 0) return null
  return <Stuck rule={rule} />
}

/** Of its own, because it follows the clock. */
function Stuck({ rule }: { rule: AlertRule }) {
  const stuck = stuckOf(rule, useServerNow())
  if (stuck.length === 0) return null
  return (
    <ul className={classes.list} aria-label={`Not arrived of ${rule.name}`}>
      {stuck.map((entry) => (
        <Entry key={entry.channel} rule={rule} entry={entry} />
      ))}
    </ul>
  )
}

/** How long ago something was, as a length of time. */
function For({ time }: { time: string }) {
  const now = useServerNow()
  return (
    <time className="figure" dateTime={time} title={`${formatTime(time)}\n${formatUtc(time)}`}>
      {now === null ? 'some time' : formatDuration(Math.max(0, now - Date.parse(time)))}
    </time>
  )
}

function Entry({ rule, entry }: { rule: AlertRule; entry: Undelivered }) {
  const { delivery_id: id, status, waiting, created_at: made, next_attempt_at: next } = entry
  const reason = answerWords(entry)
  const name = channelName(rule, entry)
  return (
    <li className={classes.entry} data-status={status}>
      <IconAlertTriangle size={15} aria-hidden />
      <p>
        <strong>
          {name} {stuckWords(entry)} {waiting > 0 ? <For time={made} /> : <Age time={made} />}
        </strong>
        {reason !== '' && <span className={classes.reason}>: {reason}</span>}
        {next !== null && (
          <>
            ; <NextAttempt at={next} isFirst={status === 'waiting'} />
          </>
        )}
        {waiting > 1 && `; ${waiting} messages wait`}.{' '}
        <Link to={`/alerts/deliveries?${new URLSearchParams({ alert: rule.alert_id, status })}`}>Deliveries</Link>
      </p>
      <span className={classes.again}>
        <Again id={id} status={status} about={`message of ${rule.name} to ${name}`} />
      </span>
    </li>
  )
}
