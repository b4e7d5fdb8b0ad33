import { createVivienneClient } from 'vivienne-client'
import { AlertStream, VivienneAlerts } from 'vivienne-client/alerts'
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

/** Its rules of alerts and their deliveries. */
export const alerts = new VivienneAlerts(SERVER, options)

/** What fires, for the bell. */
export const alertStream = new AlertStream(`${SERVER.replace(/^http/, 'ws')}/ws/alerts`, options)

followClocks(client)
followTicks(client)
client.connection.on('connection', ({ state, reason, retryAt }) => {
  // What broke this connection has likely broken that of the alerts, which cannot tell it from silence.
  if (retryAt !== null) alertStream.renew()
  if (state === 'refused' && shownToken() !== '') turnedAway(reason ?? 'The server does not accept the token')
})
onSession(() => {
  if (getSession().shut === null) return
  client.close()
  alertStream.disconnect()
})
