import type { ConnectionSnapshot } from 'vivienne-client'
import { CONNECTION_WORDS } from '../parts/words.ts'
import classes from './LogsPage.module.css'

/** The logs come over a connection of their own; silence on it is nothing to worry about. */
export function LogConnection({ connection: { state, reason } }: { connection: ConnectionSnapshot }) {
  if (state === 'live') return null
  return (
    <strong role="status" className={classes.connection} title={reason ?? undefined}>
      {state === 'connecting' ? 'Connecting to the log' : `Log: ${CONNECTION_WORDS[state].toLowerCase()}`}
    </strong>
  )
}

export function NoRecords(props: { connection: ConnectionSnapshot; filtered: boolean; level: string }) {
  const { connection, filtered, level } = props
  return (
    <p className={classes.none}>
      {filtered
        ? 'No record contains this text. New records that match appear here.'
        : connection.state === 'live'
          ? `Nothing has been written yet (${level.toLowerCase()}). Change a value on the configuration page: the change and its author appear here.`
          : 'The log appears when the server is connected.'}
    </p>
  )
}
