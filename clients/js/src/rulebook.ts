import { given } from './paths.js'
import type { ConfigSchema, SchemaSection } from './types.js'

/** One value that can be set, with what is needed to check it. */
export interface Tunable {
  /** In dots, as in the document. */
  path: string
  title: string
  kind: 'number' | 'integer' | 'boolean'
  default: number | boolean
  /** Lowest allowed value; booleans have none. */
  minimum?: number
  /** Highest allowed value; booleans have none. */
  maximum?: number
  /** For those who mistook the unit. */
  hint?: string
  /** Name in flat messages, where it is not the last part of the path. */
  flatName?: string
}

/** What must hold between values: each at or below the next (with `strict`: below), or at least one above 0. */
export type Rule = { rule: 'ordered'; paths: string[]; strict: boolean } | { rule: 'any_positive'; paths: string[] }

/** Everything needed to check a configuration without asking the server. */
export interface Rulebook {
  /** Paths of all sections; the whole is the empty path. */
  sections: string[]
  /** Characters a `description` may have. */
  longestDescription: number
  tunables: Tunable[]
  rules: Rule[]
}

/**
 * Reads a rulebook from the JSON Schema a server serves, so that a form follows the server it talks to.
 *
 * @param schema - from {@link VivienneRestClient.schema}
 */
export function rulebookOf(schema: ConfigSchema): Rulebook {
  const sections: string[] = []
  const tunables: Tunable[] = []
  const walk = (section: SchemaSection, path: string) => {
    sections.push(path)
    for (const [name, property] of Object.entries(section.properties)) {
      const { title = name, type: kind, default: value, minimum, maximum, hint, flat_name } = property
      const below = property.$ref ? schema.$defs[property.$ref.slice('#/$defs/'.length)] : property
      const at = path ? `${path}.${name}` : name
      const flatName = flat_name === name ? undefined : flat_name
      if (below?.properties) walk(below as SchemaSection, at)
      else if (name !== 'description') {
        tunables.push(given({ path: at, title, kind, default: value, minimum, maximum, hint, flatName }) as Tunable)
      }
    }
  }
  walk(schema, '')
  return {
    sections,
    longestDescription: schema.properties.description?.maxLength ?? Infinity,
    tunables,
    rules: schema['x-rules'],
  }
}
