import { useSyncExternalStore } from 'react'
import { type VivienneClient, VivienneError } from 'vivienne-client'
import { serverClock } from '../clock/clocks.ts'
import type { Made, Proposal } from './proposal.ts'

export type MadeVerb = 'saved' | 'reset' | 'rolled back' | 'copied' | 'undone'

/** A change that was made from this page and acknowledged. */
export interface MadeChange {
  readonly layer: string | null
  /** All assets, where it was made for several. */
  readonly assets?: readonly string[]
  readonly verb: MadeVerb
  readonly version: number
  readonly configId: string
  readonly values: number
  readonly at: number
  /** The configuration the layer had before: an id, null where it set nothing itself, undefined where not known. */
  readonly before: string | null | undefined
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

/**
 * The configuration a layer has in force itself: its id, or null where it sets nothing.
 *
 * @returns undefined when the layer is not at `version` any more
 */
export async function ownConfiguration(
  client: VivienneClient,
  layer: string | null,
  version: number,
): Promise<string | null | undefined> {
  const [own, below] = await Promise.all([client.rest.active(layer), layer === null ? null : client.rest.active(null)])
  if (own.version !== version) return undefined
  // For an asset without values of its own the server answers with the inherited ones.
  return own.config_id === below?.config_id ? null : own.config_id
}

/** The change that was made of a proposal. */
export function madeChange(
  { layer, assets, done: verb }: Pick<Proposal, 'layer' | 'assets' | 'done'>,
  { version, config_id: configId, changed }: Made,
  before: string | null | undefined,
): MadeChange {
  const at = serverClock.now() ?? Date.now()
  const several = assets === undefined ? {} : { assets }
  return { layer, ...several, verb, version, configId, values: changed.length, at, before }
}

/** Undo a change, and remember that as the last one. */
export async function takeBack(client: VivienneClient, change: MadeChange): Promise<void> {
  rememberMade(await undo(client, change))
}

/**
 * Take a change back: the layer gets the configuration it had before.
 *
 * @throws VivienneError - the layer was changed again since, or the server refused
 */
async function undo(client: VivienneClient, change: MadeChange): Promise<MadeChange> {
  const { layer, before, version } = change
  const { config_id: configId, version: expectedVersion } = await client.rest.active(layer)
  if (configId !== change.configId || before === undefined) {
    throw new VivienneError(
      `${layer ?? 'The global layer'} was changed again since version ${version}; roll back in the history instead`,
    )
  }
  const options = { asset: layer, expectedVersion, reason: `Undo of version ${version}` }
  const acknowledged =
    before === null ? await client.rest.reset({ all: true }, options) : await client.rest.activate(before, options)
  return madeChange({ layer, done: 'undone' }, acknowledged, change.configId)
}
