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
