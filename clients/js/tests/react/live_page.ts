import { request } from 'node:http'
import type { VivienneClient } from '../../src/index.js'
import type { LiveServer } from '../draft/live.js'

/** A client on a page. The page's own fetch keeps answers and writes to the console; this one is Node's. */
export function clientOnPage(server: LiveServer): VivienneClient {
  return server.client({ fetch: fetched })
}

/** Nothing is set any more, for all assets and for these. */
export async function resetAll(client: VivienneClient): Promise<void> {
  await Promise.all(['BTC', 'ETH', null].map((asset) => client.rest.reset({ all: true }, { asset })))
}

const fetched: typeof fetch = (input, { method = 'GET', headers, body, signal } = {}) =>
  new Promise((resolve, reject) => {
    const given = Object.entries((headers ?? {}) as Record<string, string>)
    // A connection of its own: one that is kept may be closed by the server at the moment it is used again.
    const how = { method, headers: Object.fromEntries(given), agent: false }
    const asked = request(`${input}`, how, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part) => {
        text += part
      })
      answer.on('error', reject)
      answer.on('end', () => {
        const status = answer.statusCode ?? 0
        resolve(new Response(text, { status, statusText: answer.statusMessage ?? '' }))
      })
    })
    asked.on('error', reject)
    signal?.addEventListener('abort', () => asked.destroy(new Error('aborted')))
    asked.end(body)
  })
