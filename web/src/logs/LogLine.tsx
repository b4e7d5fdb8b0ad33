import {
  IconAlertTriangleFilled,
  IconChevronRight,
  IconCopy,
  IconCopyCheck,
  IconXboxXFilled,
} from '@tabler/icons-react'
import { memo, useState } from 'react'
import type { LogRecord } from 'vivienne-client'
import { formatUtc } from '../parts/format.ts'
import { useZone, zoned } from '../parts/zone.ts'
import { copyText } from './copy.ts'
import classes from './LogLine.module.css'
import { lineOf, marked, sourceOf } from './matching.ts'

const clock = zoned({
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

const ICONS: Readonly<Record<string, typeof IconXboxXFilled>> = {
  WARNING: IconAlertTriangleFilled,
  ERROR: IconXboxXFilled,
  CRITICAL: IconXboxXFilled,
}

interface LogLineProps {
  record: LogRecord
  sought: string
  open: boolean
  toggle: (id: number) => void
}

/** One record: when, how bad, from where, what; opened, all of it. */
export const LogLine = memo(function LogLine({ record, sought, open, toggle }: LogLineProps) {
  const { id, timestamp, level, message, exception, dropped = 0 } = record
  const source = sourceOf(record)
  useZone()
  const Icon = ICONS[level]
  return (
    <div className={classes.record} data-level={level} data-open={open || undefined}>
      <div className={classes.line}>
        <button type="button" className={classes.toggle} aria-expanded={open} onClick={() => toggle(id)}>
          <IconChevronRight size={14} aria-hidden />
          <span className="unseen">{exception === undefined ? 'Details' : 'Traceback'}</span>
        </button>
        <time className={`figure ${classes.time}`} dateTime={timestamp} title={formatUtc(timestamp)}>
          {clock(timestamp)}
        </time>
        <span className={classes.level}>
          {Icon !== undefined && <Icon size={13} aria-hidden />}
          {level}
        </span>
        <span className={classes.logger} title={source}>
          {source}
        </span>
        <span className={classes.message}>
          {dropped > 0 && <em>({dropped} lost before this) </em>}
          <Marked text={message} sought={sought} />
        </span>
        {exception !== undefined && !open && <span className={classes.more}>traceback</span>}
        <Copy record={record} />
      </div>
      {open && (
        <div className={classes.details}>
          <p>
            {source} - {formatUtc(timestamp)}
          </p>
          {exception !== undefined && <pre>{exception}</pre>}
        </div>
      )}
    </div>
  )
})

function Marked({ text, sought }: { text: string; sought: string }) {
  if (sought === '') return text
  let at = 0
  return marked(text, sought).map(({ piece, sought: hit }) => {
    const key = at
    at += piece.length
    return hit ? <mark key={key}>{piece}</mark> : <span key={key}>{piece}</span>
  })
}

function Copy({ record }: { record: LogRecord }) {
  const [done, setDone] = useState<{ id: number; copied: boolean } | null>(null)
  const { id } = record
  const copied = done?.id === id ? done.copied : null
  const label = copied === null ? 'Copy line' : copied ? 'Copied' : 'The browser does not allow copying'
  return (
    <button
      type="button"
      className={classes.copy}
      aria-label={label}
      title={label}
      onClick={() =>
        copyText(lineOf(record)).then(
          () => setDone({ id, copied: true }),
          () => setDone({ id, copied: false }),
        )
      }
    >
      {copied ? <IconCopyCheck size={14} /> : <IconCopy size={14} />}
    </button>
  )
}
