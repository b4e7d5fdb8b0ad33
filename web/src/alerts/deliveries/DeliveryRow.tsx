import {
  IconBellOff,
  IconCircleCheckFilled,
  IconCircleXFilled,
  IconClock,
  IconRefreshAlert,
  IconTrashX,
} from '@tabler/icons-react'
import { memo } from 'react'
import { Link } from 'react-router'
import type { DeliveryEntry } from 'vivienne-client'
import { barAddress } from '../../asset/address.ts'
import { Age } from '../../parts/Age.tsx'
import { formatBarTime } from '../../parts/format.ts'
import { useZone } from '../../parts/zone.ts'
import { ChannelIcon } from '../ChannelIcon.tsx'
import { CHANNELS, type DeliveryStatus, STATUS_WORDS } from '../words.ts'
import { Again } from './Again.tsx'
import classes from './Deliveries.module.css'
import { latencyWords } from './latency.ts'
import { NextAttempt } from './NextAttempt.tsx'

const ICONS: Readonly<Record<DeliveryStatus, typeof IconClock>> = {
  waiting: IconClock,
  retrying: IconRefreshAlert,
  delivered: IconCircleCheckFilled,
  dead: IconCircleXFilled,
  quiet: IconBellOff,
  dropped: IconTrashX,
}

/** One message and what became of it. */
export const DeliveryRow = memo(function DeliveryRow({ delivery }: { delivery: DeliveryEntry }) {
  const { status, alert_name: name, asset, text, bar_time: bar, latency_ms: latency, attempts, together } = delivery
  useZone()
  return (
    <tr className={classes.row} data-status={status}>
      <td className={classes.status}>
        <Status status={status} />
        <span className={classes.age}>
          <Age time={delivery.created_at} />
        </span>
      </td>
      <td className={classes.rule}>{name}</td>
      <td className={classes.channel}>
        <span className={classes.type}>
          <ChannelIcon type={delivery.channel_type} size={14} /> {CHANNELS[delivery.channel_type].title}
        </span>
        {delivery.target !== '' && (
          <span className={classes.target} title={delivery.target}>
            {delivery.target}
          </span>
        )}
      </td>
      <td className={classes.alert}>
        <span className={classes.about}>
          {delivery.event_type === 'test' && <span className={classes.test}>test</span>}
          {asset !== null && (
            <Link to={bar === null ? `/assets/${encodeURIComponent(asset)}` : barAddress(asset, bar)}>
              {asset}
              {bar !== null && `, bar ${formatBarTime(bar)}`}
            </Link>
          )}
          {together > 1 && <span className={classes.together}>one of {together} in a message</span>}
        </span>
        <span className={classes.text}>{text}</span>
      </td>
      <td className={`figure ${classes.number} ${classes.latency}`} data-none={latency === null || undefined}>
        {latency === null ? '-' : latencyWords(latency)}
      </td>
      <td className={`figure ${classes.number} ${classes.attempts}`}>
        {attempts}
        <span className={classes.unit}> {attempts === 1 ? 'attempt' : 'attempts'}</span>
      </td>
      <td className={classes.answer}>
        <Answer delivery={delivery} />
      </td>
      <td className={classes.again}>
        <Again id={delivery.delivery_id} status={status} about={text} />
      </td>
    </tr>
  )
})

function Status({ status }: { status: DeliveryStatus }) {
  const Icon = ICONS[status]
  return (
    <strong className={classes.word}>
      <Icon size={14} aria-hidden /> {STATUS_WORDS[status]}
    </strong>
  )
}

/** What the receiver said, and when the next attempt is due. */
function Answer({ delivery }: { delivery: DeliveryEntry }) {
  const { status_code: code, answer, next_attempt_at: next, status } = delivery
  const words = [code, answer].filter((word) => word !== null && word !== '').join(' ')
  return (
    <>
      {words !== '' && (
        <span className={classes.said} title={words}>
          {words}
        </span>
      )}
      {next !== null && (status === 'retrying' || status === 'waiting') && (
        <NextAttempt at={next} isFirst={status === 'waiting'} className={classes.next} />
      )}
    </>
  )
}
