import { Popover } from '@mantine/core'
import { IconBell, IconBellRinging, IconVolume3 } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { loaded } from '../../app/code.ts'
import classes from './Bell.module.css'
import { useSeenTo } from './seen.ts'
import { BLOCKED_WORDS, useSound } from './sound.ts'
import { useAlertsComing, useFired } from './useAlerts.ts'

const BellList = lazy(async () => ({ default: (await loaded(() => import('./BellList.tsx'))).BellList }))

/** From so many on the number is not said exactly. */
const MANY = 99

/** The bell: how many alerts nobody has seen in this browser, and on a click which. */
export function Bell() {
  useAlertsComing()
  const { events } = useFired()
  const seen = useSeenTo()
  const sound = useSound()
  const [open, setOpen] = useState(false)
  const unseen = events.filter(({ time }) => time > seen).length
  const number = unseen > MANY ? `${MANY}+` : String(unseen)
  const words = `${unseen === 0 ? 'No new alerts' : `${number} new ${unseen === 1 ? 'alert' : 'alerts'}`}${
    sound === 'blocked' ? '; the browser blocks the sound' : ''
  }`
  const Icon = unseen > 0 ? IconBellRinging : IconBell
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={400} trapFocus returnFocus withinPortal>
      <Popover.Target>
        <button
          type="button"
          className={classes.bell}
          data-unseen={unseen > 0 || undefined}
          aria-label={words}
          title={sound === 'blocked' ? BLOCKED_WORDS : words}
          onClick={() => setOpen(!open)}
        >
          <Icon size={20} stroke={1.7} aria-hidden />
          {unseen > 0 && <span className={`figure ${classes.number}`}>{number}</span>}
          {sound === 'blocked' && <IconVolume3 size={12} className={classes.blocked} aria-hidden />}
        </button>
      </Popover.Target>
      <Popover.Dropdown className={classes.dropdown ?? ''} aria-label="Alerts">
        <Suspense>
          <BellList close={() => setOpen(false)} />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  )
}
