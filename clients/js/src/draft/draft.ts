import { VivienneError } from '../errors.js'
import { Listeners } from '../listeners.js'
import { leaves, valueAt } from '../paths.js'
import type { Acknowledgement, Configuration, InForce, PartialConfiguration, ProblemEntry } from '../types.js'
import { depict, type Edit, type World } from './depiction.js'
import { type FieldSpec, fieldsOf } from './sections.js'
import { shared } from './sharing.js'
import type { ConfigDraft, ConfigDraftOptions, DraftSnapshot } from './snapshot.js'
import { read, shows, type Typed } from './typed.js'

/**
 * A draft of one layer.
 *
 * @example
 * ```ts
 * const schema = await client.rest.schema()
 * const sections = formSections(schema)
 * const draft = createConfigDraft({ sections, rulebook: rulebookOf(schema), layer: 'global' })
 * draft.receive(await client.rest.active(), defaultsOf(sections))
 * draft.set('settings.state_threshold_bang', 85)
 * draft.saved(await client.rest.partialUpdate(draft.submitted()))
 * ```
 */
export function createConfigDraft(options: ConfigDraftOptions): ConfigDraft {
  return new Draft(options)
}

class Draft implements ConfigDraft {
  readonly #options: ConfigDraftOptions
  readonly #specs: ReadonlyMap<string, FieldSpec>
  readonly #listeners = new Listeners<void>()
  readonly #edits = new Map<string, Edit>()
  /** Edits whose base is known although nothing in force has been taken in yet. */
  readonly #resumed = new Set<string>()
  #world: World | null = null
  /** Typed values sent to the server and not answered yet, by path. */
  #sent: ReadonlyMap<string, Typed> | null = null
  #refusals: readonly ProblemEntry[] = []
  #snapshot: DraftSnapshot | undefined
  #outdated = true

  constructor(options: ConfigDraftOptions) {
    this.#options = options
    this.#specs = new Map(fieldsOf(options.sections).map((spec) => [spec.path, spec]))
  }

  getSnapshot(): DraftSnapshot {
    if (this.#snapshot === undefined || this.#outdated) {
      const { layer, rulebook } = this.#options
      const parts = { specs: this.#specs, edits: this.#edits, world: this.#world, refusals: this.#refusals }
      this.#snapshot = shared(this.#snapshot, depict(parts, layer, rulebook))
      this.#outdated = false
    }
    return this.#snapshot
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  set(path: string, typed: Typed): void {
    const spec = this.#spec(path)
    const value = this.#inForce(path)
    const going = this.#sent?.has(path) === true
    // While an edit is on its way the value in force is about to change: typing it back is an edit of its own.
    if (this.#world !== null && !going && shows(spec, typed, value)) {
      this.#edits.delete(path)
    } else {
      const base = this.#edits.get(path)?.base
      this.#edits.set(path, { typed, base: this.#edits.has(path) ? base : value })
    }
    this.#forget(path)
    this.#changed()
  }

  resume(path: string, typed: Typed, base: unknown): void {
    if (this.#world === null || !shows(this.#spec(path), typed, this.#inForce(path))) {
      this.#edits.set(path, { typed, base })
      this.#resumed.add(path)
    }
    this.#changed()
  }

  revert(path: string): void {
    this.#spec(path)
    this.#edits.delete(path)
    this.#forget(path)
    this.#changed()
  }

  revertAll(): void {
    this.#edits.clear()
    this.#refusals = []
    this.#changed()
  }

  receive(inForce: InForce, below: Configuration, belowSources?: InForce['sources']): void {
    const first = this.#world === null
    this.#world = { inForce, below, belowSources }
    for (const [path, edit] of this.#edits) {
      const value = this.#inForce(path)
      const sent = this.#sent?.get(path)
      // The own change may come into force before its acknowledgement; it does not conflict with later edits.
      const own = sent !== undefined && read(this.#spec(path), sent).value === value
      const begunUnseen = first && !this.#resumed.has(path)
      if (begunUnseen || own) this.#edits.set(path, { ...edit, base: value })
    }
    this.#resumed.clear()
    this.#changed()
  }

  keepMine(path: string): void {
    this.#spec(path)
    const edit = this.#edits.get(path)
    if (edit !== undefined) this.#edits.set(path, { ...edit, base: this.#inForce(path) })
    this.#changed()
  }

  takeTheirs(path: string): void {
    this.revert(path)
  }

  submitted(): PartialConfiguration {
    const { document } = this.getSnapshot()
    const sent = new Map<string, Typed>()
    for (const path of Object.keys(leaves(document))) {
      const edit = this.#edits.get(path)
      if (edit !== undefined) sent.set(path, edit.typed)
    }
    this.#sent = sent
    this.#refusals = []
    this.#changed()
    return document
  }

  refused(errors: readonly ProblemEntry[]): void {
    this.#sent = null
    this.#refusals = [...errors]
    this.#endShown()
    this.#changed()
  }

  saved(acknowledged: Acknowledgement): void {
    const sent = this.#sent ?? new Map<string, Typed>()
    this.#sent = null
    this.#takeIn(acknowledged, sent.keys())
    for (const [path, typed] of sent) {
      const edit = this.#edits.get(path)
      if (edit === undefined) continue
      if (Object.is(edit.typed, typed)) this.#edits.delete(path)
      else this.#edits.set(path, { ...edit, base: read(this.#spec(path), typed).value })
    }
    this.#endShown()
    this.#changed()
  }

  /** Take the configuration of the acknowledgement, unless a newer one is known. */
  #takeIn(acknowledged: Acknowledgement, sent: Iterable<string>): void {
    const world = this.#world
    if (world === null || acknowledged.version < world.inForce.version) return
    const { config_id, version, config } = acknowledged
    const sources = { ...world.inForce.sources }
    for (const path of sent) sources[path] = this.#options.layer
    this.#world = { ...world, inForce: { ...world.inForce, config_id, version, config, sources } }
  }

  /** End edits that equal the value in force. */
  #endShown(): void {
    if (this.#world === null) return
    for (const [path, { typed }] of this.#edits) {
      if (shows(this.#spec(path), typed, this.#inForce(path))) this.#edits.delete(path)
    }
  }

  /** Drop refusals of the server about a field that is edited now, and about fields that are not edited. */
  #forget(path: string): void {
    this.#refusals = this.#refusals.filter((refusal) => refusal.path !== path && this.#edits.has(refusal.path))
  }

  #inForce(path: string): unknown {
    return this.#world === null ? undefined : valueAt(this.#world.inForce.config, path)
  }

  #spec(path: string): FieldSpec {
    const spec = this.#specs.get(path)
    if (spec === undefined)
      throw new VivienneError(`'${path}' is not a field of this form; its fields come from the schema`)
    return spec
  }

  #changed(): void {
    const before = this.#snapshot
    this.#outdated = true
    if (this.getSnapshot() !== before) this.#listeners.tell()
  }
}
