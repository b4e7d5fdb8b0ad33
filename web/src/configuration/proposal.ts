import {
  type Acknowledgement,
  type PartialConfiguration,
  type Replaced,
  type VivienneClient,
  VivienneError,
  VivienneProblem,
  withValue,
} from 'vivienne-client'
import { type ConfigDraft, type DraftSnapshot, defaultsOf, type SectionSpec } from 'vivienne-client/draft'
import { namesWords } from '../pausing/words.ts'
import type { MadeVerb } from './madeChange.ts'

/** A value before and after. */
export interface Difference {
  readonly path: string
  readonly old?: unknown
  readonly new?: unknown
}

/** Options of a change. */
export interface Signature {
  readonly reason?: string
  /** Of an attempt of which it is not known whether it succeeded: repeats it instead of making it twice. */
  readonly requestId?: string
}

/** What is kept of an acknowledged change. */
export type Made = Pick<Acknowledgement, 'version' | 'config_id' | 'changed'>

/** A change under review: everything the review shows, and the function that makes it. */
export interface Proposal {
  /** Label of the button. */
  readonly verb: 'Save' | 'Reset' | 'Roll back' | 'Copy'
  /** Note beside the values: "to version 41". */
  readonly note?: string
  /** Verb for the change after it was made. */
  readonly done: MadeVerb
  /** The asset, or null for the layer under all assets. */
  readonly layer: string | null
  /** Instead, several assets, which are changed as one change. */
  readonly assets?: readonly string[]
  readonly differences: readonly Difference[]
  /** Values that come to the same when they are laid over the layer: what would be accepted, and what it would do. */
  readonly document: PartialConfiguration
  /** The version it is made on top of; another one in force refuses it. */
  readonly version: number
  /** Make it. Rejects with what the server says against it. */
  make(signature: Signature): Promise<Made>
  /** The same change for these assets. */
  forAssets?(assets: readonly string[]): Proposal
  /** Reload the configuration in force, after a conflict. */
  refresh(): Promise<void>
}

interface Drafted {
  readonly client: VivienneClient
  readonly layer: string | null
  readonly draft: ConfigDraft
  readonly snapshot: DraftSnapshot
  readonly sections: readonly SectionSpec[]
}

/** Save the typed values. */
export function saveProposal(drafted: Drafted): Proposal {
  const { client, layer, draft, snapshot } = drafted
  const version = snapshot.version ?? 0
  return {
    verb: 'Save',
    done: 'saved',
    layer,
    differences: snapshot.changed,
    document: snapshot.document,
    version,
    async make(signature) {
      const options = { ...signature, asset: layer, expectedVersion: version }
      try {
        const made = await client.rest.partialUpdate(draft.submitted(), options)
        draft.saved(made)
        return made
      } catch (error) {
        const invalid = error instanceof VivienneProblem && error.code === 'invalid_configuration'
        draft.refused(invalid ? error.errors : [])
        throw error
      }
    },
    refresh: () => receiveNow(drafted),
    forAssets: (assets) => severalProposal(drafted, assets),
  }
}

/** Save the typed values for several assets, as one change. */
function severalProposal(drafted: Drafted, assets: readonly string[]): Proposal {
  const { client, layer, draft, snapshot } = drafted
  const { changed: differences, document } = snapshot
  const version = newestVersion(client, assets)
  return {
    verb: 'Save',
    done: 'saved',
    layer,
    assets,
    differences,
    document,
    version,
    async make(signature) {
      const made = await client.rest.several(assets, { config: document }, { ...signature, expectedVersion: version })
      for (const { path } of differences) draft.revert(path)
      await receiveNow(drafted)
      return madeForSeveral(made, differences)
    },
    refresh: () => receiveNow(drafted),
  }
}

/** The newest version that bears on one of these assets, as far as this page knows. */
export function newestVersion({ states }: VivienneClient, assets: readonly string[]): number {
  return Math.max(0, ...assets.map((asset) => states.get(asset)?.config_version ?? 0))
}

/**
 * What is kept of a change of several assets.
 *
 * @throws VivienneError - it changed nothing
 */
export function madeForSeveral({ status, message, version, layers }: Replaced, changed: readonly Difference[]): Made {
  if (status === 'unchanged') throw new VivienneError(message)
  return { version, config_id: layers.at(-1)?.config_id ?? '', changed: [...changed] }
}

/** For whom a change is: "BTC", "BTC, ETH and 3 more", "all assets". */
export function whomWords({ layer, assets }: Pick<Proposal, 'layer' | 'assets'>): string {
  return assets === undefined ? (layer ?? 'all assets') : namesWords(assets)
}

/** Let values of the layer be inherited again. */
export function resetProposal(drafted: Drafted, paths: readonly string[]): Proposal {
  const { client, layer, draft, snapshot } = drafted
  const fields = paths.flatMap((path) => snapshot.fields[path] ?? [])
  const version = snapshot.version ?? 0
  return {
    verb: 'Reset',
    done: 'reset',
    layer,
    differences: fields.map(({ path, value, inherits }) => ({ path, old: value, new: inherits })),
    document: documentOf(fields.map(({ path, inherits }) => ({ path, new: inherits }))),
    version,
    async make(signature) {
      const made = await client.rest.reset({ paths }, { ...signature, asset: layer, expectedVersion: version })
      for (const path of paths) draft.revert(path)
      await receiveNow(drafted)
      return made
    },
    refresh: () => receiveNow(drafted),
  }
}

/** The values after, as a document. */
export function documentOf(differences: readonly Difference[]): PartialConfiguration {
  return differences
    .filter((difference) => difference.new !== undefined)
    .reduce<PartialConfiguration>((document, { path, new: value }) => withValue(document, path, value), {})
}

/** Give a draft the configuration in force at this moment, without waiting for the stream. */
async function receiveNow({ client, layer, draft, sections }: Drafted): Promise<void> {
  const [inForce, below] = await Promise.all([
    client.rest.active(layer),
    layer === null ? null : client.rest.active(null),
  ])
  draft.receive(inForce, below?.config ?? defaultsOf(sections), below?.sources)
}
