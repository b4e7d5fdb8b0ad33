import { given, isObject, withValue } from '../paths.js'
import type { Rulebook, Tunable, TunableKind } from '../rulebook.js'
import type { ConfigSchema, Configuration } from '../types.js'
import type { Typed } from './typed.js'

/** Everything there is to know about one field of a form. */
export interface FieldSpec extends Tunable {
  /** A sentence for people; may be empty. */
  readonly description: string
  /** Unit of the number: `bars`, `percent of equity`. */
  readonly unit?: string
  /** A sensible step of this number. */
  readonly step?: number
  /** Most characters of a text. */
  readonly longest?: number
  /** The allowed values of a `choice`. */
  readonly choices?: readonly Typed[]
}

/** A group of fields, with groups inside. What stands at the top of the document itself has the empty path. */
export interface SectionSpec {
  readonly path: string
  readonly title: string
  readonly description: string
  readonly fields: FieldSpec[]
  readonly sections: SectionSpec[]
}

type Node = Readonly<Record<string, unknown>>

/** Deeper than this a schema refers to itself. */
const DEEPEST = 12

/** Name of the note that every section may have. */
const NOTE = 'description'

/**
 * The form a served JSON Schema asks for, at any depth: a new tunable or section of the server appears by itself.
 * Lists, and objects without named properties, have no field.
 *
 * @param schema - from `VivienneRestClient.schema()`
 * @returns the sections in the order of the schema; notes on the whole come last, in a section with the empty path
 */
export function formSections(schema: ConfigSchema): SectionSpec[] {
  const { fields, sections, ...whole } = editable(rootOf(schema))
  return fields.length === 0 ? [...sections] : [...sections, { ...whole, fields, sections: [] }]
}

/**
 * The rulebook in a served JSON Schema, so that a form is checked by the rules of the server it talks to.
 *
 * @param schema - from `VivienneRestClient.schema()`
 */
export function rulebookOf(schema: ConfigSchema): Rulebook {
  const root = rootOf(schema)
  return {
    longestDescription: root.fields.find(({ path }) => path === NOTE)?.longest ?? Number.POSITIVE_INFINITY,
    tunables: fieldsOf([root]).flatMap((field) => {
      const { path, title, kind, default: value, minimum, maximum, hint, flatName } = field
      const isNote = path === NOTE || path.endsWith(`.${NOTE}`)
      return isNote ? [] : [given({ path, title, kind, default: value, minimum, maximum, hint, flatName }) as Tunable]
    }),
    rules: schema['x-rules'],
  }
}

/** All fields of a form, in its order. */
export function fieldsOf(sections: readonly SectionSpec[]): FieldSpec[] {
  return sections.flatMap((section) => [...section.fields, ...fieldsOf(section.sections)])
}

/** The configuration in force where no layer sets anything: what the global layer inherits. */
export function defaultsOf(sections: readonly SectionSpec[]): Configuration {
  let document = {} as Configuration
  for (const { path, default: value } of fieldsOf(sections)) {
    if (value !== undefined) document = withValue(document, path, value)
  }
  return document
}

/** Everything in a schema, in its order: the section that is the whole. */
function rootOf(schema: ConfigSchema): SectionSpec {
  const root = schema as unknown as Node
  return sectionOf(resolved(root, root), '', root)
}

/** Without values of a kind that no field can edit. */
function editable(section: SectionSpec): SectionSpec {
  return {
    ...section,
    fields: section.fields.filter(({ kind }) => kind !== 'other'),
    sections: section.sections.map(editable),
  }
}

function sectionOf(node: Node, path: string, root: Node): SectionSpec {
  const fields: FieldSpec[] = []
  const sections: SectionSpec[] = []
  for (const [name, given] of Object.entries(objectAt(node, 'properties'))) {
    const at = path === '' ? name : `${path}.${name}`
    const property = resolved(given as Node, root)
    if (Object.keys(objectAt(property, 'properties')).length > 0) {
      if (at.split('.').length <= DEEPEST) sections.push(sectionOf(property, at, root))
    } else {
      fields.push(fieldOf(property, at))
    }
  }
  return { path, title: titleOf(node, path), description: textAt(node, 'description') ?? '', fields, sections }
}

function fieldOf(node: Node, path: string): FieldSpec {
  const choices = Array.isArray(node.enum) ? (node.enum as Typed[]).filter((choice) => choice !== null) : undefined
  const flatName = textAt(node, 'flat_name')
  return given({
    path,
    title: titleOf(node, path),
    description: textAt(node, 'description') ?? '',
    kind: choices === undefined ? kindOf(node) : 'choice',
    unit: textAt(node, 'unit'),
    step: numberAt(node, 'step') ?? numberAt(node, 'multipleOf'),
    minimum: numberAt(node, 'minimum') ?? numberAt(node, 'exclusiveMinimum'),
    maximum: numberAt(node, 'maximum') ?? numberAt(node, 'exclusiveMaximum'),
    longest: numberAt(node, 'maxLength'),
    default: node.default,
    hint: textAt(node, 'hint'),
    flatName: flatName === lastName(path) ? undefined : flatName,
    choices,
  }) as FieldSpec
}

function kindOf(node: Node): TunableKind {
  const types = Array.isArray(node.type) ? (node.type as unknown[]).filter((type) => type !== 'null') : [node.type]
  if (types.length !== 1) return 'other'
  switch (types[0]) {
    case 'number':
    case 'integer':
    case 'boolean':
      return types[0]
    case 'string':
      return 'text'
    default:
      return 'other'
  }
}

/** A node with its reference followed. What stands beside the reference wins: a title there names this very place. */
function resolved(node: Node, root: Node, depth = 0): Node {
  if (depth > DEEPEST) return node
  const { $ref, allOf, anyOf, oneOf, ...beside } = node
  const target = typeof $ref === 'string' ? pointedAt($ref, root) : onlyOf(allOf ?? anyOf ?? oneOf)
  return target === undefined ? node : { ...resolved(target, root, depth + 1), ...beside }
}

function pointedAt(reference: string, root: Node): Node | undefined {
  let found: unknown = reference.startsWith('#') ? root : undefined
  for (const part of reference.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    found = isObject(found) ? found[name] : undefined
  }
  return isObject(found) ? found : undefined
}

/** The alternative that is left when `null` is none. */
function onlyOf(alternatives: unknown): Node | undefined {
  const nodes = Array.isArray(alternatives) ? alternatives.filter((node) => isObject(node) && node.type !== 'null') : []
  return nodes.length === 1 ? (nodes[0] as Node) : undefined
}

function titleOf(node: Node, path: string): string {
  const name = lastName(path).replaceAll('_', ' ')
  return textAt(node, 'title') ?? name.slice(0, 1).toUpperCase() + name.slice(1)
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

function objectAt(node: Node, name: string): Node {
  const value = node[name]
  return isObject(value) ? value : {}
}

function textAt(node: Node, name: string): string | undefined {
  const value = node[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberAt(node: Node, name: string): number | undefined {
  const value = node[name]
  return typeof value === 'number' ? value : undefined
}
