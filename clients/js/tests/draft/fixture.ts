import { type ConfigDraft, createConfigDraft, defaultsOf, formSections, rulebookOf } from '../../src/draft/index.js'
import type { ConfigSchema } from '../../src/index.js'
import {
  type Acknowledgement,
  type Configuration,
  type InForce,
  leaves,
  type PartialConfiguration,
  withValue,
} from '../../src/index.js'

/** A schema of another server: a new section, a nested one, a new value of every kind. */
export const schema = {
  title: 'Configuration',
  description: 'Everything.',
  properties: {
    description: { title: 'Description', type: 'string', maxLength: 20, description: 'A note.' },
    settings: { $ref: '#/$defs/Settings' },
    execution: { $ref: '#/$defs/Execution', title: 'Execution of orders' },
  },
  $defs: {
    Settings: {
      title: 'Settings',
      description: 'Levels.',
      properties: {
        description: { title: 'Description', type: 'string', maxLength: 20, default: 'As delivered.' },
        high: {
          title: 'High',
          type: 'number',
          default: 80,
          minimum: 0,
          maximum: 100,
          step: 1,
          unit: 'percent',
          flat_name: 'high_threshold',
        },
        low: { title: 'Low', type: 'number', default: 50, minimum: 0, maximum: 100, step: 1, hint: 'not a fraction' },
        bars: { title: 'Bars', type: 'integer', default: 9, minimum: 2, maximum: 100 },
        enabled: { title: 'Enabled', type: 'boolean', default: true },
      },
    },
    Execution: {
      title: 'Execution',
      description: 'How orders are made.',
      properties: {
        kind: { title: 'Kind of order', type: 'string', enum: ['market', 'limit'], default: 'market' },
        cooldown: { anyOf: [{ type: 'number', minimum: 0 }, { type: 'null' }], default: 1.5, title: 'Cool-down' },
        tags: { type: 'array', items: { type: 'string' } },
        slices: { $ref: '#/$defs/Slices' },
      },
    },
    Slices: {
      title: 'Slices',
      properties: {
        limits: {
          title: 'Limits',
          type: 'object',
          properties: { most_slices: { type: 'integer', default: 4, minimum: 1, maximum: 10 } },
        },
      },
    },
  },
  'x-rules': [{ rule: 'ordered', paths: ['settings.low', 'settings.high'], strict: false }],
} as unknown as ConfigSchema

export const sections = formSections(schema)
export const defaults = defaultsOf(sections)

/** What is in force when these values are laid over the defaults, by the layer that is edited. */
export function inForce(values: Record<string, unknown> = {}, version = 1): InForce {
  const sources: InForce['sources'] = {}
  for (const path of Object.keys(leaves(defaults))) sources[path] = 'default'
  for (const path of Object.keys(values)) sources[path] = 'asset'
  return { config_id: null, version, asset_symbol: 'BTC', config: laid(values), sources, pause: null }
}

export function laid(values: Record<string, unknown>): Configuration {
  let config = defaults
  for (const [path, value] of Object.entries(values)) config = withValue(config, path, value)
  return config
}

/** A draft of an asset's layer that knows what is in force. */
export function draftOver(values: Record<string, unknown> = {}): ConfigDraft {
  const draft = createConfigDraft({ sections, rulebook: rulebookOf(schema), layer: 'asset' })
  draft.receive(inForce(values), defaults)
  return draft
}

/** The server's answer to a document sent on top of these values. */
export function acknowledged(
  document: PartialConfiguration,
  over: Record<string, unknown> = {},
  version = 2,
): Acknowledgement {
  return {
    status: 'success',
    message: 'Configuration updated',
    config_id: `config ${version}`,
    version,
    previous_version: version - 1,
    warnings: [],
    asset_symbol: 'BTC',
    changed: [],
    assets: ['BTC'],
    config: laid({ ...over, ...leaves(document) }),
  }
}

/** What is typed, by path. */
export function typedIn(draft: ConfigDraft): Record<string, unknown> {
  const edited = Object.values(draft.getSnapshot().fields).filter((field) => 'typed' in field)
  return Object.fromEntries(edited.map(({ path, typed }) => [path, typed]))
}
