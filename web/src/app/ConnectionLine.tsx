import {
  IconAlertTriangleFilled,
  IconLock,
  IconPlugConnectedX,
  IconPointFilled,
  IconRefresh,
} from '@tabler/icons-react'
import type { ConnectionSnapshot, ConnectionState } from 'vivienne-client'
import { useConnection, useVivienneClient } from 'vivienne-client/react'
import { arrivals } from '../clock/clocks.ts'
import { useNow } from '../clock/useNow.ts'
import { useStandings } from '../overview/standings.ts'
import { Flash } from '../parts/Flash.tsx'
import { formatDuration } from '../parts/format.ts'
import { CONNECTION_WORDS } from '../parts/words.ts'
import classes from './ConnectionLine.module.css'
import { briefSentences, type ConnectionNow, connectionSentences, isCurrent, liveWord } from './connectionWords.ts'
import { Firing } from './Firing.tsx'
import { type Freshness, useFreshness } from './freshness.ts'
import { JustMade, useJustMade } from './JustMade.tsx'
import { useUnopened } from './unopened.ts'

const ICONS: Record<ConnectionState, typeof IconPointFilled> = {
  live: IconPointFilled,
  connecting: IconRefresh,
  stale: IconAlertTriangleFilled,
  offline: IconPlugConnectedX,
  refused: IconLock,
}

/**
 * State of the connection and of the data: a quiet line while data is current, grey while it is old, and a loud one across the
 * page while there is no connection. It is always there, so that nothing below it moves when the connection breaks.
 */
export function ConnectionLine() {
  const snapshot = useConnection()
  const { connection } = useVivienneClient()
  const data = useFreshness()
  const { state } = snapshot
  const reason = useUnopened()?.title ?? snapshot.reason
  const Icon = ICONS[state]
  return (
    <section
      className={classes.line}
      data-state={state}
      data-current={isCurrent(state, data) || undefined}
      data-loud={loudness(snapshot)}
      aria-label="Connection"
    >
      <Icon size={16} aria-hidden className={classes.icon} />
      <Sentences snapshot={snapshot} data={data} reason={reason} />
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
        {state === 'live' ? (data.ended ? 'Replay ended' : liveWord(data.troubled)) : CONNECTION_WORDS[state]}
        {reason === null ? '' : `: ${reason}`}
      </span>
    </section>
  )
}

/** Attempts that fail do not change the colour back and forth. */
function loudness({ state, reconnectAttempts }: ConnectionSnapshot): 'warn' | 'bad' | undefined {
  if (state === 'live') return undefined
  return state === 'offline' || state === 'refused' || reconnectAttempts > 0 ? 'bad' : 'warn'
}

interface SentencesProps {
  snapshot: ConnectionSnapshot
  data: Freshness
  reason: string | null
}

function Sentences({ snapshot, data, reason }: SentencesProps) {
  const now = useNow()
  const { state } = snapshot
  const connection: ConnectionNow = {
    state,
    silence: arrivals.lastMessage === null ? null : now - arrivals.lastMessage,
    retryIn: arrivals.retry === null ? null : arrivals.retry - now,
  }
  const why = state === 'live' || reason === null ? [] : [reason]
  return (
    <p className={classes.sentences} title={details(snapshot, connection, data, now)}>
      <Said className={classes.wordy} sentences={[...connectionSentences(connection, data), ...why]} />
      <Said className={classes.brief} sentences={briefSentences(connection, data)} />
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

/** What is about to fire; and the newest configuration any asset was decided with, or the change just made here. */
function InForce() {
  const standings = useStandings()
  const version = Math.max(0, ...standings.map((one) => one.version))
  const made = useJustMade(version)
  if (standings.length === 0) return null
  return (
    <>
      <Firing decided={standings.some(({ status }) => status === 'live')} />
      <span className={classes.inForce}>
        {made !== undefined ? (
          <JustMade change={made} />
        ) : (
          <span>
            <span className={classes.wordy}>
              {standings.length} {standings.length === 1 ? 'asset' : 'assets'} - configuration{' '}
            </span>
            <Flash value={version}>version {version}</Flash>
          </span>
        )}
      </span>
    </>
  )
}

function details(
  { state, reconnectAttempts, reason }: ConnectionSnapshot,
  connection: ConnectionNow,
  data: Freshness,
  now: number,
): string {
  const { silence } = connection
  return [
    connectionSentences(connection, data).join(' - '),
    `${CONNECTION_WORDS[state]} for ${formatDuration(now - arrivals.since)}`,
    silence === null ? '' : `Last message ${formatDuration(silence)} ago`,
    arrivals.delay === null ? '' : `The newest state took ${formatDuration(data.delay)} from the server to this page`,
    reason === null ? '' : `Reason: ${reason}`,
    reconnectAttempts === 0 ? '' : `Attempts since then: ${reconnectAttempts}`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}
