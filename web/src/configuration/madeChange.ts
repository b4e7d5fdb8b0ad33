import { useSyncExternalStore } from 'react'
import { type VivienneClient, VivienneError } from 'vivienne-client'
import { serverClock } from '../clock/clocks.ts'
import type { Made, Proposal } from './proposal.ts'

export type MadeVerb = 'saved' | 'reset' | 'rolled back' | 'copied' | 'undone' | 'redone'

/** A change that was made from this page and acknowledged. */
export interface MadeChange {
  readonly layer: string | null
  /** All assets, where it was made for several. */
  readonly assets?: readonly string[]
  readonly verb: MadeVerb
  readonly version: number
  /** Of any configuration that it made. */
  readonly configId: string
  readonly values: number
  readonly at: number
}

const made = new Map<string | null, MadeChange>()
let newest: MadeChange | undefined
/** Layers whose last change is in sight, in their panel. */
const inSight = new Set<string | null>()
const listeners = new Set<() => void>()

function tell(): void {
  for (const listener of listeners) listener()
}

/** Remember the last change of a layer, until it is dismissed or another one is made. */
export function rememberMade(change: MadeChange): void {
  made.set(change.layer, change)
  newest = change
  tell()
}

export function dismissMade(layer: string | null): void {
  if (newest === made.get(layer)) newest = undefined
  made.delete(layer)
  tell()
}

/** Note whether the panel of a layer shows its last change in sight; where it does, nothing else needs to. */
export function noteInSight(layer: string | null, isSeen: boolean): void {
  if (inSight.has(layer) === isSeen) return
  if (isSeen) inSight.add(layer)
  else inSight.delete(layer)
  tell()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The last change of a layer that was made from this page. */
export function useMade(layer: string | null): MadeChange | undefined {
  return useSyncExternalStore(subscribe, () => made.get(layer))
}

/** The newest change made from this page, while no panel shows it in sight. */
export function useMadeOutOfSight(): MadeChange | undefined {
  return useSyncExternalStore(subscribe, () => (newest && !inSight.has(newest.layer) ? newest : undefined))
}

/** The change that was made of a proposal. */
export function madeChange(
  { layer, assets, done: verb }: Pick<Proposal, 'layer' | 'assets' | 'done'>,
  { version, config_id: configId, changed }: Made,
): MadeChange {
  const several = assets === undefined ? {} : { assets }
  return { layer, ...several, verb, version, configId, values: changed.length, at: now() }
}

/**
 * Undo a change in every asset that it changed, and remember that as the last one.
 *
 * @throws VivienneError - one of them was changed again since, or the server refused
 */
export async function takeBack({ rest }: VivienneClient, change: Omit<MadeChange, 'at'>): Promise<void> {
  const undone = await rest.undo(change.configId, { reason: `Undo of version ${change.version}` })
  const configId = undone.layers.at(-1)?.config_id
  if (undone.status === 'unchanged' || configId === undefined) throw new VivienneError(undone.message)
  const verb = change.verb === 'undone' ? 'redone' : 'undone'
  rememberMade({ ...change, verb, version: undone.version, configId, at: now() })
}

function now(): number {
  return serverClock.now() ?? Date.now()
}
