import type { AssetData, Explanation, Settings } from 'vivienne-client'

/** The threshold of a level that the nearest change would set, 0 to 100; null where that is another value. */
export function nearestThreshold(explanation: Explanation | null): number | null {
  const change = explanation?.nearest_change?.changes.find(({ path }) => path.startsWith('settings.state_threshold_'))
  return typeof change?.to === 'number' ? change.to : null
}

/**
 * The confidences that a person compares the present one with, 0 to 100: the thresholds of the levels, and the one that the
 * nearest change would set.
 */
export function limitsOf(state: AssetData | undefined): readonly number[] {
  const agent = state?.agents.VivienneAgent
  if (agent === undefined) return []
  return limitsIn(agent.config.settings, agent.data.explanation)
}

/** The same, of a configuration and the explanation of a decision with it. */
export function limitsIn(settings: Settings, explanation: Explanation | null): readonly number[] {
  const nearest = nearestThreshold(explanation)
  const { state_threshold_loaded, state_threshold_aim, state_threshold_bang } = settings
  return [state_threshold_loaded, state_threshold_aim, state_threshold_bang, ...(nearest === null ? [] : [nearest])]
}
