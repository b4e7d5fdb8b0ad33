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
        ? 'No record here has this text. New ones that do will show up by themselves.'
        : connection.state === 'live'
          ? `Nothing has been written yet (${level.toLowerCase()}). Change a value on the configuration page: it is written here with the name of who changed it.`
          : 'The log shows up as soon as the server is reached.'}
    </p>
  )
}
