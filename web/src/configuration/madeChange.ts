import { useSyncExternalStore } from 'react'
import { type Acknowledgement, type VivienneClient, VivienneError } from 'vivienne-client'
import { serverClock } from '../clock/clocks.ts'

export type MadeVerb = 'saved' | 'reset' | 'rolled back' | 'undone'

/** A change that was made from this page and acknowledged. */
export interface MadeChange {
  readonly layer: string | null
  readonly verb: MadeVerb
  readonly version: number
  readonly configId: string
  readonly values: number
  readonly at: number
  /** The configuration the layer had before: an id, null where it set nothing itself, undefined where not known. */
  readonly before: string | null | undefined
}

const made = new Map<string | null, MadeChange>()
const listeners = new Set<() => void>()

/**
 * Remember the last change of a layer, until it is dismissed or another one is made.
 *
 * @returns the one before it, if it was still remembered
 */
export function rememberMade(change: MadeChange): MadeChange | undefined {
  const former = made.get(change.layer)
  made.set(change.layer, change)
  for (const listener of listeners) listener()
  return former
}

export function dismissMade(layer: string | null): void {
  made.delete(layer)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The last change of a layer that was made from this page. */
export function useMade(layer: string | null): MadeChange | undefined {
  return useSyncExternalStore(subscribe, () => made.get(layer))
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

export function madeChange(
  layer: string | null,
  verb: MadeVerb,
  acknowledged: Acknowledgement,
  before: string | null | undefined,
): MadeChange {
  const { version, config_id: configId, changed } = acknowledged
  return { layer, verb, version, configId, values: changed.length, at: serverClock.now() ?? Date.now(), before }
}

/**
 * Take a change back: the layer gets the configuration it had before.
 *
 * @throws VivienneError - the layer was changed again since, or the server refused
 */
export async function undo(client: VivienneClient, change: MadeChange): Promise<MadeChange> {
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
  return madeChange(layer, 'undone', acknowledged, change.configId)
}
