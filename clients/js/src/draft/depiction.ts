import { valueAt, withValue } from '../paths.js'
import type { Rulebook } from '../rulebook.js'
import type { Configuration, InForce, PartialConfiguration, ProblemEntry } from '../types.js'
import { configurationProblems, isSectionOf } from '../validation.js'
import type { FieldSpec } from './sections.js'
import type { ChangedField, DraftField, DraftSnapshot } from './snapshot.js'
import { type Reading, read, type Typed, unreadable } from './typed.js'

/** Typed content of one field, and the value in force when the edit began. */
export interface Edit {
  readonly typed: Typed
  readonly base: unknown
}

/** Configuration in force, and the one without the edited layer. */
export interface World {
  readonly inForce: InForce
  readonly below: Configuration
  readonly belowSources: InForce['sources'] | undefined
}

/** Everything a draft consists of. */
export interface DraftParts {
  readonly specs: ReadonlyMap<string, FieldSpec>
  readonly edits: ReadonlyMap<string, Edit>
  readonly world: World | null
  readonly refusals: readonly ProblemEntry[]
}

interface EditedField {
  readonly spec: FieldSpec
  readonly edit: Edit
  readonly reading: Reading
  /** In force now. */
  readonly value: unknown
}

/** The snapshot a draft has. */
export function depict(parts: DraftParts, layer: 'global' | 'asset', rulebook: Rulebook): DraftSnapshot {
  const edited = editedFields(parts)
  const { changed, document } = changesOf(edited)
  const problems = problemsOf(edited, parts, rulebook)
  const fields: Record<string, DraftField> = {}
  for (const spec of parts.specs.values())
    fields[spec.path] = fieldOf(spec, edited.get(spec.path), parts, layer, problems)
  const conflicts = [...edited.values()].filter(isConflict).map(({ spec }) => spec.path)
  const dirty = changed.length > 0 || [...edited.values()].some(({ reading }) => !reading.readable)
  return {
    fields,
    changed,
    document,
    problems,
    conflicts,
    version: parts.world?.inForce.version ?? null,
    dirty,
    savable: dirty && problems.length === 0 && conflicts.length === 0,
  }
}

/** In the order of the form, not of the typing. */
function editedFields({ specs, edits, world }: DraftParts): Map<string, EditedField> {
  const found = new Map<string, EditedField>()
  for (const spec of specs.values()) {
    const edit = edits.get(spec.path)
    if (edit === undefined) continue
    const value = world === null ? undefined : valueAt(world.inForce.config, spec.path)
    found.set(spec.path, { spec, edit, reading: read(spec, edit.typed), value })
  }
  return found
}

function changesOf(edited: ReadonlyMap<string, EditedField>): {
  changed: ChangedField[]
  document: PartialConfiguration
} {
  const changed: ChangedField[] = []
  let document: PartialConfiguration = {}
  for (const { spec, reading, value } of edited.values()) {
    if (!reading.readable || reading.value === value) continue
    changed.push({ path: spec.path, old: value, new: reading.value })
    document = withValue(document, spec.path, reading.value)
  }
  return { changed, document }
}

/** The typed value differs from the one in force, which changed since the edit began. */
function isConflict({ edit, reading, value }: EditedField): boolean {
  return value !== edit.base && reading.value !== value
}

function fieldOf(
  spec: FieldSpec,
  edited: EditedField | undefined,
  { world }: DraftParts,
  layer: 'global' | 'asset',
  problems: readonly ProblemEntry[],
): DraftField {
  const { path } = spec
  return {
    path,
    value: world === null ? undefined : valueAt(world.inForce.config, path),
    source: world?.inForce.sources[path] ?? null,
    ...(edited === undefined ? {} : { typed: edited.edit.typed, base: edited.edit.base }),
    conflict: edited !== undefined && isConflict(edited),
    error: problems.find((problem) => problem.path === path)?.message ?? null,
    inherits: world === null ? undefined : valueAt(world.below, path),
    inheritsFrom: layer === 'global' ? 'default' : inheritedFrom(spec, world),
  }
}

function inheritedFrom({ path, default: standard }: FieldSpec, world: World | null): 'default' | 'global' {
  if (world === null) return 'default'
  const { inForce, below, belowSources } = world
  const source = belowSources?.[path] ?? inForce.sources[path]
  if (source === 'default' || source === 'global') return source
  return valueAt(below, path) === standard ? 'default' : 'global'
}

function problemsOf(
  edited: ReadonlyMap<string, EditedField>,
  { specs, world, refusals }: DraftParts,
  rulebook: Rulebook,
): ProblemEntry[] {
  const found = edited.size === 0 ? [] : checked(edited, world, rulebook)
  const known = (problem: ProblemEntry) =>
    found.some(({ path, message }) => path === problem.path && message === problem.message)
  const order = new Map([...specs.keys()].map((path, index) => [path, index]))
  const place = ({ path }: ProblemEntry) => order.get(path) ?? specs.size
  return [...found, ...refusals.filter((problem) => !known(problem))].sort((one, other) => place(one) - place(other))
}

/** Check the typed values by the rulebook; the server checks those it does not know. */
function checked(edited: ReadonlyMap<string, EditedField>, world: World | null, rulebook: Rulebook): ProblemEntry[] {
  const own: ProblemEntry[] = []
  let probe: PartialConfiguration = {}
  for (const { spec, edit, reading } of edited.values()) {
    const message = reading.readable ? ownProblem(spec, reading.value, rulebook) : unreadable(spec, edit.typed)
    if (message !== null) own.push({ path: spec.path, message })
    // Unreadable text is in what is checked, so that rules pass over its field instead of taking what is in force.
    if (isKnown(spec, rulebook)) probe = withValue(probe, spec.path, reading.readable ? reading.value : edit.typed)
  }
  const told = new Set(own.map(({ path }) => path))
  if (Object.keys(probe).length === 0) return own
  const rest = configurationProblems(probe, { rulebook, ...(world === null ? {} : { over: world.inForce.config }) })
  return [...own, ...rest.filter(({ path }) => !told.has(path))]
}

function isKnown({ kind, path }: FieldSpec, rulebook: Rulebook): boolean {
  if (kind === 'choice') return false
  if (kind !== 'text') return rulebook.tunables.some((tunable) => tunable.path === path)
  const dot = path.lastIndexOf('.')
  return path.slice(dot + 1) === 'description' && isSectionOf(rulebook, path.slice(0, Math.max(dot, 0)))
}

/** Problem of a value that the rulebook does not know. */
function ownProblem(spec: FieldSpec, value: unknown, rulebook: Rulebook): string | null {
  if (isKnown(spec, rulebook)) return null
  if (spec.kind === 'choice' && spec.choices?.includes(value as Typed) === false) {
    return `${spec.title} must be one of ${spec.choices.join(', ')}`
  }
  if (spec.kind === 'text' && spec.longest !== undefined && String(value).length > spec.longest) {
    return `${spec.title} must be a text of at most ${spec.longest} characters`
  }
  return null
}
