/**
 * Watch and retune a Vivienne agent: states over a connection that keeps itself, configuration over REST, logs.
 *
 * @packageDocumentation
 */

export { ConfigCache, type ConfigStorage } from './cache.js'
export { type ClientOptions, createVivienneClient, type VivienneClient } from './client.js'
export { VivienneWebSocketManager } from './connection.js'
export type {
  ConnectionSnapshot,
  ConnectionState,
  Events,
  ManagerOptions,
  WebSocketConstructor,
  WebSocketLike,
} from './connection_types.js'
export { type DebouncedUpdate, debouncedUpdate } from './debounce.js'
export { VivienneError, VivienneProblem, VivienneTimeout, VivienneUnreachable } from './errors.js'
export { bundledRulebook } from './generated/rulebook.js'
export { type LogRecord, type LogSnapshot, LogTail, type LogTailOptions } from './logs.js'
export { leaves, merged, valueAt, withValue } from './paths.js'
export {
  type ChangeOptions,
  type HistoryOptions,
  type PageOptions,
  type RestOptions,
  type ResumeOptions,
  VivienneRestClient,
} from './rest.js'
export type { Rule, Rulebook, Tunable, TunableKind } from './rulebook.js'
export { StateStore } from './states.js'
export type * from './types.js'
export { configurationProblems, type ValidationOptions, validateConfiguration } from './validation.js'
