import { Button } from '@mantine/core'
import {
  IconBellOff,
  IconCircleCheckFilled,
  IconCircleXFilled,
  IconClock,
  IconRefresh,
  IconRefreshAlert,
  IconTrashX,
} from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { memo } from 'react'
import { Link } from 'react-router'
import type { DeliveryEntry } from 'vivienne-client'
import { barAddress } from '../../asset/address.ts'
import { alerts } from '../../client.ts'
import { useServerNow } from '../../clock/useNow.ts'
import { Age } from '../../parts/Age.tsx'
import { failureWords } from '../../parts/failure.ts'
import { formatBarTime, formatDuration, formatTime } from '../../parts/format.ts'
import { useZone } from '../../parts/zone.ts'
import { useWhyNot } from '../../signin/roles.ts'
import { ChannelIcon } from '../ChannelIcon.tsx'
import { CHANNELS, type DeliveryStatus, STATUS_WORDS } from '../words.ts'
import classes from './Deliveries.module.css'
import { latencyWords } from './latency.ts'

const ICONS: Readonly<Record<DeliveryStatus, typeof IconClock>> = {
  waiting: IconClock,
  retrying: IconRefreshAlert,
  delivered: IconCircleCheckFilled,
  dead: IconCircleXFilled,
  quiet: IconBellOff,
  dropped: IconTrashX,
}
const AGAIN: readonly DeliveryStatus[] = ['dead', 'delivered', 'dropped']

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
      <td className={classes.again}>{AGAIN.includes(status) && <Resend delivery={delivery} />}</td>
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
        <Next at={next} isFirst={status === 'waiting'} />
      )}
    </>
  )
}

/** So long after its time a first attempt waits for the messages before it. */
const BEHIND_MS = 3_000

function Next({ at, isFirst }: { at: string; isFirst: boolean }) {
  const now = useServerNow()
  const left = now === null ? null : Date.parse(at) - now
  return (
    <span className={`figure ${classes.next}`} title={formatTime(at)}>
      {words(left, isFirst)}
    </span>
  )
}

function words(left: number | null, isFirst: boolean): string {
  if (left !== null && isFirst && left < -BEHIND_MS) return 'waits for those before it'
  return left === null || left <= 0 ? 'next attempt now' : `next attempt in ${formatDuration(left)}`
}

function Resend({ delivery }: { delivery: DeliveryEntry }) {
  const queries = useQueryClient()
  const whyNot = useWhyNot('tuner')
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => alerts.resend(delivery.delivery_id),
    onSettled: () => queries.invalidateQueries({ queryKey: ['deliveries'] }),
  })
  if (whyNot !== null) return null
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        loading={isPending}
        leftSection={<IconRefresh size={13} />}
        title="Sends the same alert, with the same id, once more"
        aria-label={`Resend ${delivery.text}`}
        onClick={() => mutate()}
      >
        Resend
      </Button>
      {error !== null && (
        <span className={classes.failed} role="alert">
          Not sent again: {failureWords(error)}
        </span>
      )}
    </>
  )
}
