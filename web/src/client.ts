import { createVivienneClient } from 'vivienne-client'
import { VivienneRecord } from 'vivienne-client/record'
import { withToken } from 'vivienne-client/token'
import { authorName } from './app/author.ts'
import { SERVER } from './app/root.ts'
import { followClocks } from './clock/clocks.ts'
import { followTicks } from './parts/ticks.ts'
import { getSession, onSession, shownToken, turnedAway, watchedFetch } from './signin/session.ts'

const options = withToken(shownToken, {
  baseUrl: SERVER,
  fetch: watchedFetch,
  author: () => (shownToken() === '' ? authorName() : ''),
})

/** As `fetch`, with the token that is shown to the server. */
export const authorized: typeof fetch = options.fetch ?? fetch

/** The client of the server that served the dashboard. */
export const client = createVivienneClient(options)

/** Its record of decisions. */
export const record = new VivienneRecord(SERVER, options)

followClocks(client)
followTicks(client)
client.connection.on('connection', ({ state, reason }) => {
  if (state === 'refused' && shownToken() !== '') turnedAway(reason ?? 'The server does not accept the token')
})
onSession(() => {
  if (getSession().shut !== null) client.close()
})
