import type { QueryClient } from '@tanstack/react-query'
import type { ConnectionState } from 'vivienne-client'
import { isLost, isNotRecorded } from '../parts/failure.ts'

/** The part of a client that is listened to. */
interface Connected {
  readonly connection: {
    on(event: 'connection', listener: (snapshot: { readonly state: ConnectionState }) => void): () => void
  }
}

/**
 * Asks again for what the page shows and could not get, once the connection is live again. A server that was started again may
 * also keep a record now.
 */
export function askAgainWhenLive({ connection }: Connected, queries: QueryClient): () => void {
  let isLive = false
  return connection.on('connection', ({ state }) => {
    const wasLive = isLive
    isLive = state === 'live'
    if (!isLive || wasLive) return
    void queries.refetchQueries(
      {
        type: 'active',
        predicate: ({ state: { error } }) => isLost(error) || isNotRecorded(error),
      },
      { cancelRefetch: false },
    )
  })
}
