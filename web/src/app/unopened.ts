import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useConnection } from 'vivienne-client/react'
import { SERVER } from './root.ts'
import { type Unopened, unopened } from './unopenedWords.ts'

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
    placeholderData: keepPreviousData,
  })
  return failing ? (data ?? undefined) : undefined
}
