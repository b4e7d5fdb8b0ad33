import type { Rulebook } from '../rulebook.js'
import type { Acknowledgement, Configuration, InForce, PartialConfiguration, ProblemEntry } from '../types.js'
import type { SectionSpec } from './sections.js'
import type { Typed } from './typed.js'

/** The layer a value in force comes from. */
export type Source = 'default' | 'global' | 'asset'

/** One field: what is in force, and what has been typed over it. */
export interface DraftField {
  readonly path: string
  /** What is in force now; undefined where nothing is. */
  readonly value: unknown
  /** Where the value in force comes from; null while that is not known. */
  readonly source: Source | null
  /** What the person has put in; only while the field is edited. */
  readonly typed?: Typed
  /** What was in force when the edit began; only while the field is edited. */
  readonly base?: unknown
  /** It is edited, and meanwhile something else came into force than was when the edit began. */
  readonly conflict: boolean
  /** What is wrong with it, as a sentence. */
  readonly error: string | null
  /** What a reset would make of it. */
  readonly inherits: unknown
  /** The layer that value would come from. */
  readonly inheritsFrom: 'default' | 'global'
}

/** One value the draft would change. */
export interface ChangedField {
  readonly path: string
  readonly old: unknown
  readonly new: unknown
}

/** A draft at one moment. Never changed; whatever is equal to what was before is the same object as before. */
export interface DraftSnapshot {
  /** Every field by its path, in the order of the form. */
  readonly fields: Readonly<Record<string, DraftField>>
  readonly changed: readonly ChangedField[]
  /** Only what was changed, nested; for `partialUpdate`, `validate` and `preview`. */
  readonly document: PartialConfiguration
  /** Everything that is wrong, also what is wrong at no field. */
  readonly problems: readonly ProblemEntry[]
  /** Paths with a conflict. */
  readonly conflicts: readonly string[]
  /** Version of the configuration in force; null before the first `receive`. */
  readonly version: number | null
  /** Something has been typed that is not in force. */
  readonly dirty: boolean
  /** Dirty, without problems, and no conflict is undecided. */
  readonly savable: boolean
}

/** What a draft is made from. */
export interface ConfigDraftOptions {
  /** From `formSections`. */
  readonly sections: readonly SectionSpec[]
  /** What is checked while typing; from `rulebookOf`. */
  readonly rulebook: Rulebook
  /** The layer that is edited. */
  readonly layer: 'global' | 'asset'
}

/**
 * An external store of one form. What a person typed changes by what the person does and by nothing else; what is in
 * force moves under it.
 */
export interface ConfigDraft {
  /** The same object until something is different. */
  getSnapshot(): DraftSnapshot
  /**
   * Be told when the snapshot is another.
   *
   * @returns ends it
   */
  subscribe(listener: () => void): () => void
  /**
   * Edit a field. Typing the value in force back ends the edit.
   *
   * @throws VivienneError - there is no such field
   */
  set(path: string, typed: Typed): void
  /**
   * Go on with an edit that was begun in another draft: after a reload, say. What was changed in between is a conflict.
   *
   * @param base - what was in force when the edit was begun: `base` of its field
   * @throws VivienneError - there is no such field
   */
  resume(path: string, typed: Typed, base: unknown): void
  /** Take back the edit of a field. */
  revert(path: string): void
  /** Take back all edits. */
  revertAll(): void
  /**
   * Take in what is in force now. Nothing that was typed changes.
   *
   * @param inForce - of the layer that is edited, from `VivienneRestClient.active`
   * @param below - what is in force in the layer below; for the global layer `defaultsOf(sections)`
   * @param belowSources - where values of the layer below come from; without it a default value is taken for the default
   */
  receive(inForce: InForce, below: Configuration, belowSources?: InForce['sources']): void
  /** Decide a conflict: the edit stays, over what is in force now. */
  keepMine(path: string): void
  /** Decide a conflict: the edit goes. */
  takeTheirs(path: string): void
  /**
   * What was sent was refused. Each error stands beside its field until the field is edited again; one at a field that
   * is not edited, or at none, until anything is edited. Without errors (the server was not reached) the draft only
   * learns that nothing is on its way any more.
   */
  refused(errors: readonly ProblemEntry[]): void
  /** What was sent is in force. Its edits are over, but for those that went on while it was sent. */
  saved(acknowledged: Acknowledgement): void
  /**
   * Note what is being sent.
   *
   * @returns the document to send
   */
  submitted(): PartialConfiguration
}
