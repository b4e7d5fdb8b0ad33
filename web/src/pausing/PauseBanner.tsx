import { Popover } from '@mantine/core'
import { IconAlertTriangleFilled, IconChevronDown, IconPlayerPauseFilled } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type RefObject, useLayoutEffect, useRef, useState } from 'react'
import type { PauseEntry } from 'vivienne-client'
import { useConnection, useVivienneClient } from 'vivienne-client/react'
import { useStandings } from '../overview/standings.ts'
import { Age } from '../parts/Age.tsx'
import { useWhyNot } from '../signin/roles.ts'
import classes from './PauseBanner.module.css'
import { useKeptPauses, usePauses } from './pauses.ts'
import { Reason } from './Reason.tsx'
import { type Attempt, askToResume, dismiss, NotConfirmed, pauseNow, useSwitching } from './switching.ts'
import { Words } from './Words.tsx'
import { namesWords, pausedSentence, unexplained } from './words.ts'

/** Pauses in force with author, reason and time, on every page; hidden without a pause. */
export function PauseBanner() {
  useKeptPauses()
  const banner = useRef<HTMLElement>(null)
  const pauses = usePauses()
  const others = unexplained(pauses, useStandings())
  const failed = [...useSwitching().attempts.values()].filter(({ error }) => error !== null)
  const sentence = pauses.length > 0 ? pausedSentence(pauses) : ''
  const shown = sentence !== '' || others.length > 0 || failed.length > 0
  useFrameHeight(banner, shown)
  return (
    <>
      <span role="status" className="unseen">
        {sentence}
      </span>
      {shown && (
        <section ref={banner} className={classes.banner} aria-label="Paused">
          {pauses.length > 0 && <InForce pauses={pauses} />}
          {others.length > 0 && <Unexplained assets={others} />}
          {failed.map((attempt) => (
            <NotMade key={attempt.layer} attempt={attempt} />
          ))}
        </section>
      )}
    </>
  )
}

/** Tells the page how much less room it has; see global.css. */
function useFrameHeight(element: RefObject<HTMLElement | null>, shown: boolean): void {
  useLayoutEffect(() => {
    const banner = element.current
    const { style } = document.documentElement
    if (!shown || banner === null) return
    const measure = () => style.setProperty('--v-pause-height', `${banner.offsetHeight}px`)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(banner)
    return () => {
      observer.disconnect()
      style.removeProperty('--v-pause-height')
    }
  }, [element, shown])
}

function InForce({ pauses }: { pauses: readonly PauseEntry[] }) {
  const [first] = pauses
  const { state } = useConnection()
  const known = state === 'live' || state === 'stale'
  if (first === undefined) return null
  return (
    <div className={classes.row}>
      <IconPlayerPauseFilled className={classes.icon} size={16} aria-hidden />
      <Words key={`${first.config_id} words`}>
        {!known && 'Last known state: '}
        <strong>{pausedSentence(pauses)}</strong>
        {pauses.length === 1 && <WhoAndWhy pause={first} />}
      </Words>
      {pauses.some(({ version }) => version === null) && (
        <p className={classes.warning}>
          <IconAlertTriangleFilled size={14} aria-hidden /> In force, but not stored yet: a restart of the server would
          lose it. The server retries.
        </p>
      )}
      {pauses.length === 1 && <Reason key={first.config_id} pause={first} />}
      {pauses.length === 1 ? <ResumeButton pause={first} /> : <Several pauses={pauses} />}
    </div>
  )
}

function WhoAndWhy({ pause: { author, created_at: since, reason } }: { pause: PauseEntry }) {
  return (
    <>
      {' '}
      by <strong>{author}</strong>, <Age time={since} />
      {reason !== null && <span title={reason}>: {reason}</span>}
    </>
  )
}

interface ResumeButtonProps {
  pause: PauseEntry
  onAsk?: () => void
}

function ResumeButton({ pause: { asset_symbol: layer }, onAsk }: ResumeButtonProps) {
  const against = useWhyNot('tuner')
  return (
    <button
      type="button"
      className={classes.button}
      aria-label={`Resume ${layer ?? 'all assets'}`}
      title={against ?? 'Asks first'}
      disabled={against !== null}
      onClick={() => {
        onAsk?.()
        askToResume(layer)
      }}
    >
      Resume
    </button>
  )
}

/** More than one: each with who, why and its own way back. */
function Several({ pauses }: { pauses: readonly PauseEntry[] }) {
  const [open, setOpen] = useState(false)
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      position="bottom-end"
      width="min(34rem, 96vw)"
      trapFocus
      withArrow
      returnFocus
    >
      <Popover.Target>
        <button type="button" className={classes.button} aria-expanded={open} onClick={() => setOpen(!open)}>
          {pauses.length} pauses <IconChevronDown size={14} aria-hidden />
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <ul className={classes.list} aria-label="Pauses">
          {pauses.map((pause) => (
            <li key={pause.config_id}>
              <p className={classes.words}>
                <strong>{pause.asset_symbol ?? 'All assets'}</strong>
                <WhoAndWhy pause={pause} />
              </p>
              <ResumeButton pause={pause} onAsk={() => setOpen(false)} />
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  )
}

/** The states say so, and the list is not there: better half of it than nothing. */
function Unexplained({ assets }: { assets: readonly string[] }) {
  return (
    <div className={classes.row}>
      <IconPlayerPauseFilled className={classes.icon} size={16} aria-hidden />
      <p className={classes.words}>
        <strong>
          {namesWords(assets)} {assets.length > 1 ? 'are' : 'is'} paused
        </strong>
        . Its author and reason are not known yet.
      </p>
    </div>
  )
}

/** It was asked for, and was not made or not confirmed: that must not be overlooked. */
function NotMade({ attempt: { layer, error, requestId, reason } }: { attempt: Attempt }) {
  const client = useVivienneClient()
  const queries = useQueryClient()
  const whom = layer ?? 'all assets'
  return (
    <div className={classes.row} data-bad role="alert">
      <IconAlertTriangleFilled className={classes.icon} size={16} aria-hidden />
      <p className={classes.words}>
        <strong>{heading(error, requestId, whom)}</strong> {error instanceof Error ? error.message : String(error)}
      </p>
      <button type="button" className={classes.button} onClick={() => void pauseNow(client, queries, layer, reason)}>
        Try again
      </button>
      <button type="button" className={classes.button} onClick={() => dismiss(layer)}>
        Dismiss
      </button>
    </div>
  )
}

function heading(error: unknown, requestId: string | undefined, whom: string): string {
  if (error instanceof NotConfirmed) return `Not confirmed by every agent: ${whom}.`
  return requestId === undefined ? `Not paused: ${whom}.` : `Result of the pause unknown: ${whom}.`
}
