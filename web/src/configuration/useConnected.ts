import { useConnection } from 'vivienne-client/react'

/** True if the server is connected: requests that failed are repeated when it returns. */
export function useConnected(): boolean {
  const { state } = useConnection()
  return state === 'live' || state === 'stale'
}
