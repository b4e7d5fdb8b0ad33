import { useQuery } from '@tanstack/react-query'
import { useConnection } from 'vivienne-client/react'
import { SERVER } from './root.ts'

/** Reason why the server answers and its WebSocket does not open, in a title and a sentence. */
export interface Unopened {
  readonly title: string
  readonly detail: string
}

/** What an answer to a plain request at the address of the WebSocket says; null if it says nothing. */
export function unopened(status: number, body: unknown): Unopened | null {
  const { code, detail } = (body ?? {}) as { code?: string; detail?: string }
  if (status === 426) {
    return {
      title: 'The proxy in front does not pass WebSockets',
      detail:
        'The server answers, but its WebSocket does not open. The proxy must pass the headers Upgrade and Connection: see "Behind a reverse proxy" in docs/deployment.md.',
    }
  }
  if (code === 'wrong_origin' || code === 'wrong_host') {
    return { title: 'The server refuses this page', detail: detail ?? '' }
  }
  return null
}

async function ask(signal: AbortSignal): Promise<Unopened | null> {
  // A POST, because only then the browser names the origin of the page, which may be what is refused.
  const answer = await fetch(`${SERVER}/ws/state`, { method: 'POST', signal })
  return unopened(answer.status, await answer.json().catch(() => null))
}

/** Reason why no WebSocket has opened while the server answers; undefined where nothing is known. */
export function useUnopened(): Unopened | undefined {
  const { state, reconnectAttempts, lastMessageAt } = useConnection()
  const failing = state !== 'live' && state !== 'refused' && lastMessageAt === null && reconnectAttempts > 0
  const { data } = useQuery({
    queryKey: ['unopened', reconnectAttempts],
    queryFn: ({ signal }) => ask(signal),
    enabled: failing,
    retry: false,
    placeholderData: (before: Unopened | null | undefined) => before,
  })
  return failing ? (data ?? undefined) : undefined
}
