import { Button } from '@mantine/core'
import { IconCircleCheckFilled, IconCopy, IconCopyCheck } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { AlertChanged } from 'vivienne-client'
import { copyText } from '../logs/copy.ts'
import classes from './Made.module.css'
import { targetOf } from './words.ts'

/** A rule that was saved: warnings, and signing secrets, which are shown this once. */
export function Made({ changed, onClose }: { changed: AlertChanged; onClose(): void }) {
  const { alert, secrets = {}, warnings, version } = changed
  const made = Object.entries(secrets)
  const element = useRef<HTMLElement>(null)
  // Nobody may overlook it: the page may be scrolled to where the button was.
  useEffect(() => {
    window.scrollTo(0, 0)
    element.current?.focus({ preventScroll: true })
  }, [])
  return (
    <section ref={element} className={`panel ${classes.made}`} aria-label="Saved" tabIndex={-1}>
      <p className={classes.head}>
        <IconCircleCheckFilled size={16} aria-hidden />
        <span>
          <strong>{alert?.name ?? changed.alert_id}</strong> is saved, version {version}. Press Test to see whether it
          arrives.
        </span>
      </p>
      {made.map(([channel, secret]) => (
        <Secret
          key={channel}
          secret={secret}
          target={targetOf(alert?.channels.find(({ id }) => id === channel) ?? {}) || channel}
        />
      ))}
      {made.length > 0 && (
        <p className={classes.once}>
          Give {made.length === 1 ? 'it' : 'them'} to the receiver now, which checks the signature with it:{' '}
          {made.length === 1 ? 'it is' : 'they are'} not shown again.
        </p>
      )}
      {warnings.map(({ path, message }) => (
        <p key={`${path} ${message}`} className={classes.warning}>
          {message}
        </p>
      ))}
      <Button size="compact-sm" variant="default" className={classes.close ?? ''} onClick={onClose}>
        {made.length > 0 ? 'I have kept it' : 'Close'}
      </Button>
    </section>
  )
}

function Secret({ secret, target }: { secret: string; target: string }) {
  const [said, setSaid] = useState('Copy')
  return (
    <div className={classes.secret}>
      <span className={classes.target}>Signing secret for {target}</span>
      <code>{secret}</code>
      <Button
        size="compact-sm"
        aria-label={`${said} the signing secret`}
        leftSection={said === 'Copied' ? <IconCopyCheck size={14} /> : <IconCopy size={14} />}
        onClick={() =>
          copyText(secret).then(
            () => setSaid('Copied'),
            () => setSaid('Select it, this browser does not copy'),
          )
        }
      >
        {said}
      </Button>
    </div>
  )
}
