import { Button, Skeleton } from '@mantine/core'
import { useConnection } from 'vivienne-client/react'
import messages from '../app/Message.module.css'
import { useUnopened } from '../app/unopened.ts'

/** No asset is known: they are on their way, or the server cannot be reached. */
export function NoAssets() {
  const { state, reason, reconnectAttempts } = useConnection()
  const unopened = useUnopened()
  if (state === 'live') {
    return (
      <div className={messages.message}>
        <h2>No assets yet</h2>
        <p>
          The server is connected, but has not sent any asset. It sends them when it starts; check the logs if this
          persists.
        </p>
      </div>
    )
  }
  if (reconnectAttempts === 0) {
    return (
      <div role="status" aria-label="The assets are loading">
        <Skeleton height={40} mb={8} />
        <Skeleton height={40} mb={8} />
        <Skeleton height={40} mb={8} />
      </div>
    )
  }
  if (unopened !== undefined) {
    return (
      <div className={messages.message}>
        <h2>{unopened.title}</h2>
        <p>{unopened.detail}</p>
      </div>
    )
  }
  return (
    <div className={messages.message}>
      <h2>The server cannot be reached</h2>
      <p>
        The dashboard keeps trying to connect. To start the server, run <code>make run</code> or{' '}
        <code>vivienne serve</code>.
      </p>
      {reason !== null && (
        <p>
          Reason: <code>{reason}</code>
        </p>
      )}
    </div>
  )
}

/** The filters let no asset through. */
export function NoMatch({ text, clear }: { text: string; clear: () => void }) {
  return (
    <div className={messages.message}>
      <h2>{text === '' ? 'No asset passes these filters now' : `No asset has "${text}" in its name`}</h2>
      <Button variant="default" onClick={clear}>
        Show all assets
      </Button>
    </div>
  )
}
