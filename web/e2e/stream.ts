import { expect, type Locator, type Page, type WebSocket } from '@playwright/test'
import type { AssetData, AssetState } from 'vivienne-client'

/** What a page receives over `/ws/state`, and over how many connections. Make it before the page goes anywhere. */
export class StateStream {
  readonly states: AssetData[] = []
  readonly #open = new Set<WebSocket>()
  /** Connections ever made. */
  made = 0

  constructor(page: Page) {
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).pathname !== '/ws/state') return
      this.made++
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket))
      const last = new Map<string, AssetData>()
      socket.on('framereceived', ({ payload }) => {
        const message = JSON.parse(String(payload))
        const state = message.type === 'asset_changed' ? changed(last.get(message.asset), message.patch) : message
        if (state.type !== 'asset_data') return
        last.set(state.asset, state)
        this.states.push(state)
      })
    })
  }

  get open(): number {
    return this.#open.size
  }

  /** The newest state of an asset. */
  latest(asset: string): AssetData | undefined {
    return this.states.findLast((state) => state.asset === asset)
  }

  /** Waits for a state of an asset that fulfils a condition. */
  async until(asset: string, condition: (state: AssetData) => boolean, timeout = 10_000): Promise<AssetData> {
    let found: AssetData | undefined
    await expect
      .poll(
        () => {
          found = this.states.findLast((state) => state.asset === asset && condition(state))
          return found !== undefined
        },
        { message: `a state of ${asset} that fulfils the condition`, timeout, intervals: [20] },
      )
      .toBe(true)
    return found as AssetData
  }
}

/** What a merge patch makes of a value. */
function changed(value: unknown, patch: object): AssetData {
  const made: Record<string, unknown> = { ...(value as object) }
  for (const [name, inner] of Object.entries(patch)) {
    if (inner === null) delete made[name]
    else made[name] = typeof inner === 'object' && !Array.isArray(inner) ? changed(made[name], inner) : inner
  }
  return made as unknown as AssetData
}

/** The decision in a state. */
export function decision(state: AssetData): AssetState {
  const agent = state.agents.VivienneAgent
  if (agent === undefined) throw new Error('The state has no VivienneAgent')
  return agent.data
}

/** A price as a page may write it. */
export function rounded(price: number | null | undefined): RegExp {
  return new RegExp([2, 3, 4].map((digits) => (price ?? Number.NaN).toFixed(digits).replace('.', '\\.')).join('|'))
}

/** The price on the page of an asset. */
export function shownPrice(page: Page): Locator {
  return page.locator('main header').getByText(/^\d{1,3}(,\d{3})*\.\d{2,}$/)
}

/** Whether a price on a page is that of one of some states. */
export function wasSent(text: string, states: readonly AssetData[]): boolean {
  const digits = text.split('.')[1]?.length ?? 0
  const price = Number(text.replaceAll(',', '')).toFixed(digits)
  return states.some((state) => decision(state).price?.toFixed(digits) === price)
}
