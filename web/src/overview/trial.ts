import type { AssetData } from 'vivienne-client'
import type { ClarityLevel } from '../parts/Level.tsx'

/** A change of one threshold that changes the level of an asset now. */
export interface Trial {
  readonly asset: string
  /** Path of the threshold. */
  readonly field: string
  readonly threshold: 'loaded' | 'aim' | 'bang'
  readonly from: number
  readonly to: number
  /** Confidence in percent. */
  readonly confidence: number
  /** The level it has afterwards. */
  readonly after: ClarityLevel
}

const BELOW = { loaded: 'idle', aim: 'loaded', bang: 'aim' } as const

/** The first of these assets on which one change of a threshold shows an effect now; undefined if there is none. */
export function trialOf(states: readonly AssetData[]): Trial | undefined {
  const trials = states.flatMap((state) => trialFor(state) ?? [])
  // Making something happen is more to look at than making it stop.
  return trials.find(({ after }) => after === 'loaded') ?? trials[0]
}

function trialFor({ asset, agents }: AssetData): Trial | undefined {
  const agent = agents.VivienneAgent
  if (agent === undefined || agent.data.status !== 'live') return undefined
  const { settings } = agent.config
  const confidence = agent.data.signal_confidence * 100
  const level = agent.data.raw_clarity_level
  if (level === 'idle') {
    const to = Math.floor(confidence) - 1
    const from = settings.state_threshold_loaded
    return to < 1 ? undefined : { asset, ...threshold('loaded'), from, to, confidence, after: 'loaded' }
  }
  const highest = { loaded: settings.state_threshold_aim, aim: settings.state_threshold_bang, bang: 100 }[level]
  const to = Math.ceil(confidence) + 1
  const from = settings[`state_threshold_${level}`]
  return to > highest ? undefined : { asset, ...threshold(level), from, to, confidence, after: BELOW[level] }
}

function threshold(level: Trial['threshold']): Pick<Trial, 'field' | 'threshold'> {
  return { field: `settings.state_threshold_${level}`, threshold: level }
}
