import type { ReactNode } from 'react'
import {
  type AssetData,
  bundledRulebook,
  type Configuration,
  createVivienneClient,
  merged,
  type PartialConfiguration,
  type VivienneClient,
  withValue,
} from '../../src/index.js'
import { VivienneProvider } from '../../src/react/index.js'

/** A socket whose other end is the test. */
export class TestSocket extends EventTarget {
  static all: TestSocket[] = []
  readyState = 0
  readonly sent: string[] = []
  readonly url: string

  constructor(url: string) {
    super()
    this.url = url
    TestSocket.all.push(this)
  }

  static get newest(): TestSocket {
    const socket = TestSocket.all.at(-1)
    if (socket === undefined) throw new Error('No socket was opened')
    return socket
  }

  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  /** What the server sends. */
  push(message: object): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(message) }))
  }

  send(text: string): void {
    this.sent.push(text)
  }

  close(code = 1000): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '' }))
  }
}

/** A client whose server is the test; REST is not there. */
export function offlineClient(): VivienneClient {
  TestSocket.all = []
  return createVivienneClient({
    baseUrl: 'http://vivienne.test',
    WebSocket: TestSocket as never,
    fetch: () => Promise.reject(new TypeError('no network')),
    random: () => 0,
  })
}

export function provided(client: VivienneClient) {
  return ({ children }: { children: ReactNode }) => <VivienneProvider client={client}>{children}</VivienneProvider>
}

export const defaults: Configuration = bundledRulebook.tunables.reduce(
  (all, { path, default: value }) => withValue(all, path, value),
  {} as Configuration,
)

let count = 0

/** A state of an asset; each is newer than the one before. */
export function state(asset: string, price: number, config: PartialConfiguration = {}, version = 1): AssetData {
  count++
  return {
    type: 'asset_data',
    asset,
    timestamp: new Date(Date.UTC(2026, 0, 1) + count).toISOString(),
    seq: count,
    config_version: version,
    agents: { VivienneAgent: { data: { price, status: 'live' }, config: merged(defaults, config) } },
  } as unknown as AssetData
}

/** Counts what is listened to and not ended again. */
export function countListeners(client: VivienneClient): () => number {
  let listening = 0
  const counted =
    <Arguments extends unknown[]>(subscribe: (...given: Arguments) => () => void) =>
    (...given: Arguments) => {
      const end = subscribe(...given)
      listening++
      return () => {
        listening--
        end()
      }
    }
  const { states, configs, connection } = client
  states.subscribe = counted(states.subscribe.bind(states))
  states.subscribeAll = counted(states.subscribeAll.bind(states))
  configs.subscribe = counted(configs.subscribe.bind(configs))
  connection.on = counted(connection.on.bind(connection)) as typeof connection.on
  return () => listening
}
