import type { Rulebook } from '../rulebook.js'
import type { Acknowledgement, Configuration, InForce, PartialConfiguration, ProblemEntry } from '../types.js'
import type { SectionSpec } from './sections.js'
import type { Typed } from './typed.js'

/** The layer a value in force comes from. */
export type Source = 'default' | 'global' | 'asset'

/** One field: the value in force, and the typed one. */
export interface DraftField {
  readonly path: string
  /** Value in force; undefined if there is none. */
  readonly value: unknown
  /** Source of the value in force; null while it is unknown. */
  readonly source: Source | null
  /** Typed value; only while the field is edited. */
  readonly typed?: Typed
  /** Value in force when the edit began; only while the field is edited. */
  readonly base?: unknown
  /** True if it is edited, and its value in force has changed since the edit began. */
  readonly conflict: boolean
  /** Problem of the value, as a sentence. */
  readonly error: string | null
  /** Value after a reset. */
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

/** A draft at one moment. Immutable; equal parts stay the same objects. */
export interface DraftSnapshot {
  /** Every field by its path, in the order of the form. */
  readonly fields: Readonly<Record<string, DraftField>>
  readonly changed: readonly ChangedField[]
  /** Only the changed values, nested; for `partialUpdate`, `validate` and `preview`. */
  readonly document: PartialConfiguration
  /** All problems, also those that belong to no field. */
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

/** Options of a draft. */
export interface ConfigDraftOptions {
  /** From `formSections`. */
  readonly sections: readonly SectionSpec[]
  /** Rules to check while typing; from `rulebookOf`. */
  readonly rulebook: Rulebook
  /** The layer that is edited. */
  readonly layer: 'global' | 'asset'
}

/**
 * An external store of one form. Only the person changes the typed values; the values in force change under them.
 */
export interface ConfigDraft {
  /** The same object until something is different. */
  getSnapshot(): DraftSnapshot
  /**
   * Calls the listener when the snapshot changes.
   *
   * @returns a function that ends it
   */
  subscribe(listener: () => void): () => void
  /**
   * Edit a field. Typing the value in force back ends the edit.
   *
   * @throws VivienneError - the form has no such field
   */
  set(path: string, typed: Typed): void
  /**
   * Continue an edit of another draft, for example after a reload. A value changed in between is a conflict.
   *
   * @param base - value in force when the edit began: `base` of its field
   * @throws VivienneError - the form has no such field
   */
  resume(path: string, typed: Typed, base: unknown): void
  /** Take back the edit of a field. */
  revert(path: string): void
  /** Take back all edits. */
  revertAll(): void
  /**
   * Take the configuration in force now. Typed values do not change.
   *
   * @param inForce - of the layer that is edited, from `VivienneRestClient.active`
   * @param below - configuration in force in the layer below; for the global layer `defaultsOf(sections)`
   * @param belowSources - where values of the layer below come from; without it a default value is taken for the default
   */
  receive(inForce: InForce, below: Configuration, belowSources?: InForce['sources']): void
  /** Resolve a conflict: the edit stays, over the value in force now. */
  keepMine(path: string): void
  /** Resolve a conflict: the edit is dropped. */
  takeTheirs(path: string): void
  /**
   * Note that the sent change was refused. Each error stays beside its field until the field is edited again; one at a
   * field that is not edited, or at none, until any field is edited. Without errors (the server was not reached) the
   * draft only learns that the request has ended.
   */
  refused(errors: readonly ProblemEntry[]): void
  /** Note that the sent change is in force. Its edits end, except those made since it was sent. */
  saved(acknowledged: Acknowledgement): void
  /**
   * Note that the changes are being sent.
   *
   * @returns the document to send
   */
  submitted(): PartialConfiguration
}
