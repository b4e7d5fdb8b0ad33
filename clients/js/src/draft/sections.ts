import { isObject, withValue } from '../paths.js'
import type { ConfigSchema, Configuration } from '../types.js'
import type { Typed } from './typed.js'

/** What a field holds: a value of the schema, one of several `choices`, or a note for people. */
export type FieldKind = 'number' | 'integer' | 'boolean' | 'text' | 'choice'

/** Everything there is to know about one field of a form. */
export interface FieldSpec {
  /** In dots, as in the document: `settings.state_threshold_bang`. */
  readonly path: string
  readonly title: string
  /** A sentence for people; may be empty. */
  readonly description: string
  readonly kind: FieldKind
  /** What the number counts: `bars`, `percent of equity`. */
  readonly unit?: string
  /** A sensible step of this number. */
  readonly step?: number
  /** Lowest allowed number. */
  readonly minimum?: number
  /** Highest allowed number. */
  readonly maximum?: number
  /** Most characters of a text. */
  readonly longest?: number
  /** What is in force where no layer sets it. */
  readonly default?: unknown
  /** A sentence for those who mistook the unit. */
  readonly hint?: string
  /** What flat messages call it. */
  readonly flatName?: string
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

/**
 * The form a served JSON Schema asks for, at any depth: a new tunable or section of the server appears by itself.
 * Lists, and objects without named properties, have no field.
 *
 * @param schema - from `VivienneRestClient.schema()`
 * @returns the sections in the order of the schema; notes on the whole come last, in a section with the empty path
 */
export function formSections(schema: ConfigSchema): SectionSpec[] {
  const root = schema as unknown as Node
  const { fields, sections, ...whole } = sectionOf(resolved(root, root), '', root)
  return fields.length === 0 ? [...sections] : [...sections, { ...whole, fields, sections: [] }]
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

function sectionOf(node: Node, path: string, root: Node): SectionSpec {
  const fields: FieldSpec[] = []
  const sections: SectionSpec[] = []
  for (const [name, given] of Object.entries(objectAt(node, 'properties'))) {
    const at = path === '' ? name : `${path}.${name}`
    const property = resolved(given as Node, root)
    if (Object.keys(objectAt(property, 'properties')).length > 0) {
      if (at.split('.').length <= DEEPEST) sections.push(sectionOf(property, at, root))
    } else {
      const field = fieldOf(property, at)
      if (field !== null) fields.push(field)
    }
  }
  return { path, title: titleOf(node, path), description: textAt(node, 'description') ?? '', fields, sections }
}

function fieldOf(node: Node, path: string): FieldSpec | null {
  const choices = Array.isArray(node.enum) ? (node.enum as Typed[]).filter((choice) => choice !== null) : undefined
  const kind = choices === undefined ? kindOf(node) : 'choice'
  if (kind === null) return null
  return {
    path,
    title: titleOf(node, path),
    description: textAt(node, 'description') ?? '',
    kind,
    ...known('unit', textAt(node, 'unit')),
    ...known('step', numberAt(node, 'step') ?? numberAt(node, 'multipleOf')),
    ...known('minimum', numberAt(node, 'minimum') ?? numberAt(node, 'exclusiveMinimum')),
    ...known('maximum', numberAt(node, 'maximum') ?? numberAt(node, 'exclusiveMaximum')),
    ...known('longest', numberAt(node, 'maxLength')),
    ...known('default', node.default),
    ...known('hint', textAt(node, 'hint')),
    ...known('flatName', textAt(node, 'flat_name')),
    ...known('choices', choices),
  }
}

function kindOf(node: Node): FieldKind | null {
  const types = Array.isArray(node.type) ? (node.type as unknown[]).filter((type) => type !== 'null') : [node.type]
  if (types.length !== 1) return null
  switch (types[0]) {
    case 'number':
    case 'integer':
    case 'boolean':
      return types[0]
    case 'string':
      return 'text'
    default:
      return null
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
  const name = path.slice(path.lastIndexOf('.') + 1).replaceAll('_', ' ')
  return textAt(node, 'title') ?? name.slice(0, 1).toUpperCase() + name.slice(1)
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

function known<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: Value }
}
