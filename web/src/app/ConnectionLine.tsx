import {
  IconAlertTriangleFilled,
  IconLock,
  IconPlugConnectedX,
  IconPointFilled,
  IconRefresh,
} from '@tabler/icons-react'
import type { ConnectionSnapshot, ConnectionState } from 'vivienne-client'
import { useConnection, useVivienneClient } from 'vivienne-client/react'
import { useStandings } from '../overview/standings.ts'
import { useNow } from '../parts/clock.ts'
import { Flash } from '../parts/Flash.tsx'
import { formatTime } from '../parts/format.ts'
import { CONNECTION_WORDS } from '../parts/words.ts'
import classes from './ConnectionLine.module.css'
import { briefSentences, connectionSentences } from './connectionWords.ts'

const ICONS: Record<ConnectionState, typeof IconPointFilled> = {
  live: IconPointFilled,
  connecting: IconRefresh,
  stale: IconAlertTriangleFilled,
  offline: IconPlugConnectedX,
  refused: IconLock,
}

/**
 * State of the connection: a quiet line while data is current, a loud one across the page while it is not. It is
 * always there, so that nothing below it moves when the connection breaks.
 */
export function ConnectionLine() {
  const snapshot = useConnection()
  const { connection } = useVivienneClient()
  const { state } = snapshot
  const Icon = ICONS[state]
  return (
    <section className={classes.line} data-state={state} data-loud={loudness(snapshot)} aria-label="Connection">
      <Icon size={16} aria-hidden className={classes.icon} />
      <Sentences snapshot={snapshot} />
      {state === 'live' ? (
        <InForce />
      ) : (
        <button
          type="button"
          className={classes.retry}
          onClick={() => {
            connection.disconnect()
            connection.connect()
          }}
        >
          Try now
        </button>
      )}
      {/* Said once when it changes, not with every second that is counted. */}
      <span role="status" className="unseen">
        {CONNECTION_WORDS[state]}
        {snapshot.reason === null ? '' : `: ${snapshot.reason}`}
      </span>
    </section>
  )
}

/** Attempts that fail do not change the colour back and forth. */
function loudness({ state, reconnectAttempts }: ConnectionSnapshot): 'warn' | 'bad' | undefined {
  if (state === 'live') return undefined
  return state === 'offline' || state === 'refused' || reconnectAttempts > 0 ? 'bad' : 'warn'
}

function Sentences({ snapshot }: { snapshot: ConnectionSnapshot }) {
  const now = useNow()
  const reason = snapshot.state === 'live' || snapshot.reason === null ? [] : [snapshot.reason]
  return (
    <p className={classes.sentences} title={details(snapshot, now)}>
      <Said className={classes.wordy} sentences={[...connectionSentences(snapshot, now), ...reason]} />
      <Said className={classes.brief} sentences={briefSentences(snapshot, now)} />
    </p>
  )
}

function Said({ sentences: [state, ...rest], className }: { sentences: string[]; className: string | undefined }) {
  return (
    <span className={className}>
      <strong>{state}</strong>
      <span className="figure">{rest.map((sentence) => ` - ${sentence}`).join('')}</span>
    </span>
  )
}

/** Number of assets, and the newest configuration any of them was decided with. */
function InForce() {
  const standings = useStandings()
  if (standings.length === 0) return null
  const version = Math.max(...standings.map((one) => one.version))
  return (
    <span className={classes.inForce}>
      <span className={classes.wordy}>
        {standings.length} {standings.length === 1 ? 'asset' : 'assets'} - configuration{' '}
      </span>
      <Flash value={version}>version {version}</Flash>
    </span>
  )
}

function details(snapshot: ConnectionSnapshot, now: number): string {
  const { state, since, lastMessageAt, reconnectAttempts, reason } = snapshot
  return [
    connectionSentences(snapshot, now).join(' - '),
    `${CONNECTION_WORDS[state]} since ${formatTime(since)}`,
    lastMessageAt === null ? '' : `Last message ${formatTime(lastMessageAt)}`,
    reason === null ? '' : `Reason: ${reason}`,
    reconnectAttempts === 0 ? '' : `Attempts since then: ${reconnectAttempts}`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}
