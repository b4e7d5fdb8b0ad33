import type { VivienneClient } from '../client.js'
import { VivienneProblem } from '../errors.js'
import { Listeners } from '../listeners.js'
import type { Acknowledgement, ConfigSchema, PartialConfiguration } from '../types.js'
import { createConfigDraft } from './draft.js'
import { Following, sentence } from './following.js'
import { defaultsOf, formSections, rulebookOf, type SectionSpec } from './sections.js'
import { shared } from './sharing.js'
import type { ConfigDraft, DraftSnapshot } from './snapshot.js'

/** Author and reason of a change; both are kept in the history. */
export interface Signature {
  readonly author?: string
  readonly reason?: string
}

/** State of a session at one moment. */
export interface SessionSnapshot {
  /** Null before the first answer of the server. */
  readonly draft: ConfigDraft | null
  /** That of the draft. */
  readonly snapshot: DraftSnapshot | null
  /** The form the server's schema asks for. */
  readonly sections: SectionSpec[] | null
  /** Reason why the last save or reset failed, until something is edited; or why there is nothing to show. */
  readonly error: string | null
  /** A save is under way. */
  readonly saving: boolean
}

/** Most repetitions of a save that conflicts with another change. */
const MOST_ATTEMPTS = 3

/**
 * A draft kept up with a server: loads the schema and what is in force, loads again whenever the version moves, saves
 * and resets. An external store; between `start` and `stop` it listens and waits, otherwise it holds nothing.
 */
export class DraftSession {
  readonly #client: VivienneClient
  readonly #asset: string | null
  readonly #listeners = new Listeners<void>()
  #draft: ConfigDraft | null = null
  #sections: SectionSpec[] | null = null
  #changeError: string | null = null
  #saving = false
  #snapshot: SessionSnapshot | undefined
  /** Subject of the last error of a change; the error ends when it changes. */
  #attempted: Pick<DraftSnapshot, 'document' | 'conflicts'> | null = null
  readonly #following: Following

  /** @param asset - whose layer is edited; null for the layer under all assets */
  constructor(client: VivienneClient, asset: string | null) {
    this.#client = client
    this.#asset = asset
    this.#following = new Following(
      client,
      asset,
      (signal) => this.#load(signal),
      () => this.#tell(),
    )
  }

  start(): void {
    this.#following.start()
  }

  stop(): void {
    this.#following.stop()
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  getSnapshot(): SessionSnapshot {
    const newest = {
      draft: this.#draft,
      snapshot: this.#draft?.getSnapshot() ?? null,
      sections: this.#sections,
      error: this.#changeError ?? this.#following.error,
      saving: this.#saving,
    }
    this.#snapshot = shared(this.#snapshot, newest)
    return this.#snapshot
  }

  /**
   * Send the changed values. Never rejects: problems are in the snapshot, and beside the fields.
   *
   * @returns null where nothing was saved
   */
  async save(signature: Signature = {}): Promise<Acknowledgement | null> {
    if (this.#saving || this.#draft?.getSnapshot().savable !== true) return null
    this.#saving = true
    this.#changeError = null
    this.#tell()
    try {
      return await this.#saveDraft(this.#draft, signature)
    } finally {
      this.#saving = false
      this.#tell()
    }
  }

  /**
   * Let values be inherited again. Edits of them are over.
   *
   * @throws VivienneError - it was refused, or the server was not reached
   */
  async reset(paths: readonly string[], signature: Signature = {}): Promise<Acknowledgement> {
    this.#changeError = null
    this.#tell()
    try {
      const answer = await this.#client.rest.reset({ paths }, { ...signature, asset: this.#asset })
      this.#revertUnder(paths)
      await this.#following.loadAnew()
      return answer
    } catch (error) {
      this.#failed(sentence(error))
      throw error
    }
  }

  #revertUnder(paths: readonly string[]): void {
    for (const { path, typed } of Object.values(this.#draft?.getSnapshot().fields ?? {})) {
      const under = paths.some((reset) => path === reset || path.startsWith(`${reset}.`))
      if (under && typed !== undefined) this.#draft?.revert(path)
    }
  }

  async #saveDraft(draft: ConfigDraft, signature: Signature): Promise<Acknowledgement | null> {
    for (let attempt = 1; ; attempt++) {
      const { version } = draft.getSnapshot()
      const options = { ...signature, ...(version === null ? {} : { expectedVersion: version }), asset: this.#asset }
      const document = draft.submitted()
      try {
        const answer = await this.#client.rest.partialUpdate(document, options)
        draft.saved(answer)
        void this.#following.loadAnew()
        return answer
      } catch (error) {
        const code = error instanceof VivienneProblem ? error.code : null
        draft.refused(error instanceof VivienneProblem && code === 'invalid_configuration' ? error.errors : [])
        if (code !== 'version_conflict' || attempt >= MOST_ATTEMPTS) {
          this.#failed(sentence(error))
          void this.#following.load() // it may have been made all the same; then it is in force
          return null
        }
      }
      await this.#following.load()
      if (!this.#canGoAgain(draft.getSnapshot(), document)) return null
    }
  }

  /** Repeat a save after a conflict, unless the other change concerns an edited value. */
  #canGoAgain(draft: DraftSnapshot, sent: PartialConfiguration): boolean {
    if (draft.conflicts.length > 0) {
      this.#failed('Not saved: the same values were changed elsewhere; choose which to keep')
    } else if (draft.dirty && draft.document !== sent) {
      this.#failed(
        'Not saved: the configuration has changed since you read it, and you kept editing; check, and save again',
      )
    }
    return draft.savable && draft.document === sent
  }

  #failed(message: string): void {
    this.#changeError = message
    this.#attempted = this.#draft?.getSnapshot() ?? null
    this.#tell()
  }

  #draftChanged(): void {
    const { document, conflicts } = this.#draft?.getSnapshot() ?? {}
    if (document !== this.#attempted?.document || conflicts !== this.#attempted?.conflicts) this.#changeError = null
    this.#tell()
  }

  async #load(signal: AbortSignal | undefined): Promise<() => void> {
    const { rest } = this.#client
    const asset = this.#asset
    const [schema, inForce, below] = await Promise.all([
      this.#draft === null ? rest.schema(signal) : null,
      rest.active(asset, signal),
      asset === null ? null : rest.active(null, signal),
    ])
    return () => {
      if (schema !== null) this.#prepare(schema)
      this.#draft?.receive(inForce, below?.config ?? defaultsOf(this.#sections ?? []), below?.sources)
    }
  }

  #prepare(schema: ConfigSchema): void {
    this.#sections = formSections(schema)
    const layer = this.#asset === null ? 'global' : 'asset'
    this.#draft = createConfigDraft({ sections: this.#sections, rulebook: rulebookOf(schema), layer })
    this.#draft.subscribe(() => this.#draftChanged())
  }

  #tell(): void {
    this.#listeners.tell()
  }
}
