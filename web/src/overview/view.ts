import type { AssetData, AssetState, FilterExplanation } from 'vivienne-client'
import { useVivienneState } from 'vivienne-client/react'
import { dataTime } from '../parts/dataTime.ts'
import type { ClarityLevel } from '../parts/Level.tsx'
import { nearestThreshold } from '../parts/limits.ts'
import { STATUS_WORDS } from '../parts/words.ts'
import { pausedState } from '../pausing/words.ts'
import { isHeld } from './standing.ts'

/** Content of the overview for an asset; plain values only, so that two can be compared field by field. */
export interface AssetView {
  readonly level: ClarityLevel
  readonly raw: ClarityLevel
  readonly held: boolean
  readonly confidence: number
  readonly loaded: number
  readonly aim: number
  readonly bang: number
  readonly side: 'long' | 'short' | 'none'
  readonly size: number
  readonly price: number | null
  readonly status: AssetState['status']
  readonly statusReason: string | null
  readonly feedStatus: AssetState['feed_status']
  readonly feedReason: string | null
  /** By whom and why it is paused; empty while it is not. */
  readonly pause: string
  /** When its newest data came, to the second; null before there is any. */
  readonly second: number | null
  /** Seconds beyond which they are stale. */
  readonly limit: number | null
  /** Title of the first filter that blocks, and how many do. */
  readonly blocker: string | null
  readonly blockers: number
  readonly blockerField: string | null
  readonly blockerMessage: string | null
  readonly summary: string | null
  /** The threshold of a level that the nearest change would set. */
  readonly nearestThreshold: number | null
  readonly nearestMessage: string | null
  readonly nearestField: string | null
}

export function viewOf(state: AssetData | undefined): AssetView | undefined {
  const agent = state?.agents.VivienneAgent
  if (state === undefined || agent === undefined) return undefined
  const { data, config } = agent
  const { settings } = config
  const { explanation } = data
  const blocker = explanation?.filters.find(({ state }) => state === 'blocked')
  return {
    level: data.clarity_level,
    raw: data.raw_clarity_level,
    held: isHeld(data),
    confidence: data.signal_confidence,
    loaded: settings.state_threshold_loaded,
    aim: settings.state_threshold_aim,
    bang: settings.state_threshold_bang,
    side: data.side,
    size: data.position_size,
    price: data.price,
    status: data.status,
    statusReason: data.status_reason,
    feedStatus: data.feed_status,
    feedReason: data.feed_status_reason,
    pause: pausedState(data),
    second: dataTime(state),
    limit: data.data_age_limit,
    blocker: blocker?.title ?? null,
    blockers: data.blocked_by.length,
    blockerField: blocker === undefined ? null : fieldOf(blocker),
    blockerMessage: blocker?.message ?? null,
    summary: explanation?.summary ?? null,
    nearestThreshold: nearestThreshold(explanation),
    nearestMessage: explanation?.nearest_change?.message ?? null,
    nearestField: explanation?.nearest_change?.path ?? null,
  }
}

/** The value to change for a filter that blocks: the threshold of the scenario that does, or without one, its switch. */
export function fieldOf({ scenarios, switch: whole }: FilterExplanation): string {
  const blocking = scenarios.find(({ blocks }) => blocks)
  const threshold = blocking?.checks.find(({ path }) => path !== null)?.path
  return threshold ?? blocking?.switch ?? whole
}

/** Reason why there is no decision. */
export function reasonOf({ status, statusReason, pause }: AssetView): string {
  return status === 'paused' ? `paused ${pause}` : (statusReason ?? STATUS_WORDS[status])
}

export function sameView(one: AssetView | undefined, other: AssetView | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (Object.keys(one) as (keyof AssetView)[]).every((key) => one[key] === other[key])
}

/** Content of the overview for an asset; renders only when it changes. */
export function useAssetView(asset: string): AssetView | undefined {
  return useVivienneState(asset, viewOf, sameView)
}
