import { type AssetData, bundledRulebook, type Configuration, withValue } from '../../src/index.js'

/** A WebSocket whose other end the test plays. */
export class FakeSocket extends EventTarget {
  /** Every socket that was made, oldest first. */
  static made: FakeSocket[] = []

  /** The newest one. */
  static get last(): FakeSocket {
    const socket = FakeSocket.made.at(-1)
    if (!socket) throw new Error('no socket was made')
    return socket
  }

  readyState = 0
  readonly sent: Record<string, unknown>[] = []

  constructor(readonly url: string) {
    super()
    FakeSocket.made.push(this)
  }

  send(text: string): void {
    if (this.readyState === 0) throw new Error('not open yet')
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.readyState = 3
  }

  // What the server does

  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  receive(message: unknown): void {
    this.receiveText(JSON.stringify(message))
  }

  receiveText(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  end(code = 1006, reason = ''): void {
    this.readyState = 3
    this.dispatchEvent(new Event('error'))
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }))
  }
}

/** The configuration everything inherits from. */
export const DEFAULTS: Configuration = bundledRulebook.tunables.reduce(
  (document, { path, default: value }) => withValue(document, path, value),
  {} as Configuration,
)

/** A state of an asset. */
export function state(
  asset: string,
  seq: number,
  more: Partial<AssetData> & { status?: 'live' | 'stale' | 'ended' } = {},
) {
  const { status = 'live', ...rest } = more
  const data = { status, clarity_level: 'idle', price: 100 + seq }
  const agents = { VivienneAgent: { data, config: DEFAULTS } }
  return {
    type: 'asset_data',
    asset,
    timestamp: `2026-01-01T12:00:00.${seq}Z`,
    seq,
    config_version: 1,
    agents,
    ...rest,
  }
}
