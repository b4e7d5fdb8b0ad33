import type { AgentState, AssetData, CheckExplanation } from 'vivienne-client'
import { useVivienneState } from 'vivienne-client/react'
import { dataTime } from '../parts/dataTime.ts'
import type { ClarityLevel } from '../parts/Level.tsx'
import { pauseWords, STATUS_WORDS } from '../parts/words.ts'
import { isHeld } from './standing.ts'

/** What the overview shows of an asset; plain values only, so that two can be compared field by field. */
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
  readonly status: 'live' | 'warming_up' | 'stale' | 'paused' | 'ended'
  readonly statusReason: string | null
  /** When its newest data came, to the second; null before there is any. */
  readonly second: number | null
  /** Seconds beyond which they are stale. */
  readonly limit: number | null
  /** Name of the first filter that blocks, and how many more do. */
  readonly blocker: string | null
  readonly blockers: number
  readonly blockerField: string | null
  readonly blockerMessage: string | null
  readonly summary: string | null
  readonly nearestMessage: string | null
  readonly nearestField: string | null
}

export function viewOf(state: AssetData | undefined): AssetView | undefined {
  const agent = state?.agents.VivienneAgent
  if (state === undefined || agent === undefined) return undefined
  const { data, config } = agent
  const { settings } = config
  const { explanation } = data
  const [blocker] = data.blocked_by
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
    second: dataTime(state),
    limit: data.data_age_limit,
    blocker: blocker ?? null,
    blockers: data.blocked_by.length,
    blockerField: blocker === undefined ? null : fieldOf(agent, blocker),
    blockerMessage: explanation?.filters.find(({ name }) => name === blocker)?.message ?? null,
    summary: explanation?.summary ?? null,
    nearestMessage: explanation?.nearest_change?.message ?? null,
    nearestField: explanation?.nearest_change?.path ?? null,
  }
}

/** The value to turn for a filter that blocks: the threshold that was met, or where there is none, its switch. */
export function fieldOf({ data, config }: AgentState, filter: string): string | null {
  const checks = data.explanation?.filters.find(({ name }) => name === filter)?.checks ?? []
  const blocking = scenarios(checks).find((scenario) => scenario.every(({ met }) => met))
  const threshold = blocking?.find(({ path }) => path !== null)?.path
  if (threshold !== undefined && threshold !== null) return threshold
  const section = (config.filters as unknown as Record<string, unknown>)[filter]
  const toggle = Object.entries(section ?? {}).find(([, value]) => typeof value === 'boolean')
  return toggle === undefined ? null : `filters.${filter}.${toggle[0]}`
}

/** A filter blocks where all checks of one scenario are met. */
function scenarios(checks: readonly CheckExplanation[]): CheckExplanation[][] {
  const byName = new Map<string, CheckExplanation[]>()
  for (const check of checks) byName.set(check.scenario, [...(byName.get(check.scenario) ?? []), check])
  return [...byName.values()]
}

/** Why there is no decision. */
export function reasonOf({ status, statusReason }: AssetView): string {
  return status === 'paused' ? `paused ${pauseWords(statusReason)}` : (statusReason ?? STATUS_WORDS[status])
}

export function sameView(one: AssetView | undefined, other: AssetView | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (Object.keys(one) as (keyof AssetView)[]).every((key) => one[key] === other[key])
}

/** While it is paused, warms up or gets no data there is none; after the end of a replay the last one stays. */
export function hasDecision({ status }: AssetView): boolean {
  return status === 'live' || status === 'ended'
}

/** What the overview shows of an asset; renders only when something of it changed. */
export function useAssetView(asset: string): AssetView | undefined {
  return useVivienneState(asset, viewOf, sameView)
}
