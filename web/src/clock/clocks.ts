import type { VivienneClient } from 'vivienne-client'
import { Arrivals } from './Arrivals.ts'
import { ServerClock } from './ServerClock.ts'
import { SteadyClock } from './SteadyClock.ts'

/** The clocks of the page; there is no other. */
export const steady = new SteadyClock()
export const serverClock = new ServerClock(steady)
export const arrivals = new Arrivals(steady, serverClock)

/** How often the server is asked for the time. */
const EVERY = 60_000
const PATIENCE = 20_000

/** Sets the clocks by what a client receives, and asks its server for the time whenever it is connected. */
export function followClocks(client: VivienneClient, ask: typeof fetch = fetch): void {
  const question = clockQuestion(client.baseUrl, ask)
  let live = false
  // Before anybody learns of a message, its arrival is known.
  client.connection.on('message', (message) => arrivals.received(message))
  client.connection.on('connection', (snapshot) => {
    arrivals.changed(snapshot)
    if (live !== (snapshot.state === 'live')) {
      live = !live
      if (live) void question()
    }
  })
  setInterval(() => live && void question(), EVERY)
}

/** Asks for the time, once at a time. */
function clockQuestion(baseUrl: string, ask: typeof fetch): () => Promise<void> {
  let asking = false
  return async () => {
    if (asking) return
    asking = true
    try {
      const asked = steady.now()
      const response = await ask(`${baseUrl}/health`, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })
      const { time } = (await response.json()) as { time?: string }
      if (time !== undefined) serverClock.answered(Date.parse(time), asked)
    } catch {
      // The page says elsewhere that the server is away; the messages tell the time as well, only less exactly.
    } finally {
      asking = false
    }
  }
}
