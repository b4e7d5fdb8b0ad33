import type { AssetData, AssetState, Configuration } from 'vivienne-client'
import { useVivienneState } from 'vivienne-client/react'
import { limitsOf } from '../parts/limits.ts'

const AGENT = 'VivienneAgent'

/** The decision in a state; undefined before the first one arrived. */
export function decisionOf(state: AssetData | undefined): AssetState | undefined {
  return state?.agents[AGENT]?.data
}

/** The configuration a decision was made with. */
export function configurationOf(state: AssetData | undefined): Configuration | undefined {
  return state?.agents[AGENT]?.config
}

/**
 * One thing of the decision on an asset; undefined before the first one arrived.
 * Only a change of that thing renders its reader again.
 */
export function useDecision<T>(
  asset: string,
  select: (decision: AssetState) => T,
  same: (one: T | undefined, other: T | undefined) => boolean = Object.is,
): T | undefined {
  return useVivienneState(
    asset,
    (state) => {
      const decision = decisionOf(state)
      return decision === undefined ? undefined : select(decision)
    },
    same,
  )
}

/** The same for the configuration in force. */
export function useInForce<T>(
  asset: string,
  select: (configuration: Configuration) => T,
  same: (one: T | undefined, other: T | undefined) => boolean = Object.is,
): T | undefined {
  return useVivienneState(
    asset,
    (state) => {
      const configuration = configurationOf(state)
      return configuration === undefined ? undefined : select(configuration)
    },
    same,
  )
}

/** The confidences that the present one is compared with, see `limitsOf`. */
export function useLimits(asset: string): readonly number[] {
  return useVivienneState(asset, limitsOf, sameJson)
}

/** Compare two JSON values by content. Every message is parsed separately, so identity tells nothing. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const [left, right] = [Object.entries(one), Object.entries(other)]
  return (
    left.length === right.length &&
    left.every(([name, value]) => sameJson(value, (other as Record<string, unknown>)[name]))
  )
}
