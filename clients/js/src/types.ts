import type {
  AssetChanged,
  AssetData,
  ConfigPreviewResponse,
  ConfigUpdateResponse,
  Configuration,
  ControlResponse,
  ErrorMessage,
  LogMessage,
  SubscribeResponse,
  SwitchResponse,
} from './generated/types.js'
import type { Rule } from './rulebook.js'

export type * from './generated/types.js'

/** The same, with anything left out at any depth. */
export type DeepPartial<T> = T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T

/** Part of a configuration: omitted values stay as they are, or are inherited. */
export type PartialConfiguration = DeepPartial<Configuration>

/** A JSON object of which nothing more is known. */
export type Document = Record<string, unknown>

/** Answer of the server to a message that changes, pauses, resumes or subscribes. */
export type Answer = ConfigUpdateResponse | ConfigPreviewResponse | ControlResponse | SubscribeResponse | SwitchResponse

/** Any message of the server, distinguished by `type`. */
export type ServerMessage = Answer | AssetChanged | AssetData | ErrorMessage | LogMessage

/** Level of a log record, as the log stream takes it. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical'

/** A property in the served JSON Schema: a value, or with `$ref` (or `properties`) a section. */
export interface SchemaProperty {
  readonly $ref?: string
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly enum?: readonly unknown[]
  readonly unit?: string
  readonly step?: number
  readonly hint?: string
  /** Name in flat messages. */
  readonly flat_name?: string
  readonly properties?: Readonly<Record<string, SchemaProperty>>
}

/** A section in the served JSON Schema. */
export interface SchemaSection {
  readonly title?: string
  readonly description?: string
  readonly properties: Readonly<Record<string, SchemaProperty>>
}

/** The JSON Schema of a configuration, as a server gives it. */
export interface ConfigSchema extends SchemaSection {
  readonly $defs: Readonly<Record<string, SchemaSection>>
  /** Rules between values. */
  readonly 'x-rules': Rule[]
}
