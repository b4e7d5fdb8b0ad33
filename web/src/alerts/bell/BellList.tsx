import { Button } from '@mantine/core'
import { IconVolume, IconVolumeOff } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import type { AlertEvent } from 'vivienne-client'
import { Age } from '../../parts/Age.tsx'
import { formatBarTime } from '../../parts/format.ts'
import { useZone } from '../../parts/zone.ts'
import { Unreal } from '../Unreal.tsx'
import classes from './Bell.module.css'
import { Permission } from './Permission.tsx'
import { seenTo, setSeenTo } from './seen.ts'
import { setMuted, useSound } from './sound.ts'
import { placeOf, useFired } from './useAlerts.ts'

/** So many are listed; the page of deliveries has all. */
const LISTED = 50

/** What has fired, newest first; those that were not seen before are marked while the list is open. */
export function BellList({ close }: { close(): void }) {
  const { events, missed, isRead } = useFired()
  const [seen] = useState(seenTo)
  const newest = events[0]?.time ?? ''
  useEffect(() => setSeenTo(newest), [newest])
  return (
    <section className={classes.list} aria-label="Alerts">
      <header className={classes.head}>
        <h2>Alerts</h2>
        <Mute />
        <Link to="/alerts" onClick={close}>
          Rules
        </Link>
        <Link to="/alerts/deliveries" onClick={close}>
          Deliveries
        </Link>
      </header>
      <Permission />
      {missed > 0 && <p className={classes.none}>{missed} more are on their way from the server.</p>}
      {events.length === 0 ? (
        <p className={classes.none}>
          {isRead
            ? 'Nothing has fired for browsers yet. Make a rule with the channel Browser: what fires is listed here.'
            : 'The alerts appear when the server has sent them.'}
        </p>
      ) : (
        <ol>
          {events.slice(0, LISTED).map((event) => (
            <Alert key={event.id} event={event} isNew={event.time > seen} close={close} />
          ))}
        </ol>
      )}
    </section>
  )
}

function Alert({ event, isNew, close }: { event: AlertEvent; isNew: boolean; close(): void }) {
  useZone()
  return (
    <li data-new={isNew || undefined} data-level={event.clarity_level ?? undefined}>
      <Link to={placeOf(event)} onClick={close}>
        <span className={classes.line}>
          {event.asset !== null && <strong>{event.asset}</strong>}
          <span className={classes.rule}>{event.alert.name}</span>
          <Unreal market={event.market} />
          <span className={classes.age}>
            <Age time={event.time} />
          </span>
        </span>
        <span className={classes.text}>{event.text}</span>
        {event.bar_time !== null && (
          <span className={`figure ${classes.bar}`}>
            bar {formatBarTime(event.bar_time)}, {event.timeframe}
          </span>
        )}
        {isNew && <span className="unseen">new</span>}
      </Link>
    </li>
  )
}

function Mute() {
  const muted = useSound() === 'muted'
  const Icon = muted ? IconVolumeOff : IconVolume
  return (
    <Button
      size="compact-sm"
      variant="subtle"
      color="gray"
      aria-pressed={muted}
      leftSection={<Icon size={15} aria-hidden />}
      onClick={() => setMuted(!muted)}
      data-autofocus
    >
      {muted ? 'Muted' : 'Mute'}
    </Button>
  )
}
