import type { AssetData } from './types.js'

/** Of these nothing more is to be expected, or a pause says already that they are not followed. */
const SETTLED = /^(ended|stale|paused)$/

/** What a state has where nothing is decided, as the server has it. */
const UNDECIDED = {
  clarity_level: 'idle',
  raw_clarity_level: 'idle',
  signal_confidence: 0,
  side: 'none',
  position_size: 0,
  trend_direction: 'neutral',
  volatility_status: 'normal',
  levels_status: 'inactive',
  explanation: null,
  bar: null,
  status: 'stale',
  status_reason_id: 'agent_lost',
} as const

/** Notices assets of which nothing comes any more while others go on: the server does not have them any more. */
export class Silence {
  readonly #longest: number
  /** Since when nothing came of each asset, those that are silent for longest first. */
  readonly #since = new Map<string, number>()
  readonly #silent = new Set<string>()
  #at = 0
  #heard = 0

  /** @param staleAfter - how long the whole connection may say nothing, in ms; an asset may for twice that time */
  constructor(readonly staleAfter: number) {
    this.#longest = 2 * staleAfter
  }

  /** Notes that a state came. True if its asset had been silent. */
  came(asset: string): boolean {
    this.#since.delete(asset)
    this.#since.set(asset, this.#heard)
    return this.#silent.delete(asset)
  }

  /**
   * Notes that a message came, and gives the assets that have fallen silent. Only time in which messages come counts, so
   * neither does that of a connection that was broken, nor of a computer that slept.
   */
  *heard(now: number): Generator<string> {
    this.#heard += Math.min(Math.max(now - this.#at, 0), this.staleAfter)
    this.#at = now
    for (const [asset, since] of this.#since) {
      if (this.#heard - since < this.#longest) return
      this.#since.delete(asset)
      this.#silent.add(asset)
      yield asset
    }
  }

  /** The last state of a silent asset as it has to be shown: without its decision. Undefined if it can stay as it is. */
  shown(state: AssetData): AssetData | undefined {
    const agent = state.agents.VivienneAgent
    if (!agent || SETTLED.test(agent.data.status)) return
    const message = `nothing came of it for ${this.#longest / 1000} s`
    const trouble = { id: 'agent_lost', message } as const
    return {
      ...state,
      agents: {
        ...state.agents,
        VivienneAgent: {
          ...agent,
          data: { ...agent.data, ...UNDECIDED, blocked_by: [], status_reason: message, trouble },
        },
      },
    }
  }
}
