import { useConnection } from 'vivienne-client/react'

/** Whether the server can be asked: what failed while it was away is asked again when it is back. */
export function useConnected(): boolean {
  const { state } = useConnection()
  return state === 'live' || state === 'stale'
}
