'use client'

/**
 * React hooks and two plain components. Everything is read from external stores, so no message is lost between renders.
 *
 * @packageDocumentation
 */
export type { Signature } from '../draft/session.js'
export { VivienneConfigForm, type VivienneConfigFormProps } from './config_form.js'
export { VivienneConfigMonitor, type VivienneConfigMonitorProps } from './config_monitor.js'
export { useVivienneClient, VivienneProvider, type VivienneProviderProps } from './provider.js'
export { type CachedConfigs, useConfigCache } from './use_config_cache.js'
export { type ConfigDraftHook, useConfigDraft } from './use_config_draft.js'
export { type ConfigHistory, useConfigHistory } from './use_config_history.js'
export { useConnection } from './use_connection.js'
export { useRealTimeValidation } from './use_real_time_validation.js'
export { useAssets, useVivienneState } from './use_states.js'
export { useVivienneConfig, type VivienneConfig } from './use_vivienne_config.js'
export { useVivienneLogs, type VivienneLogs, type VivienneLogsOptions } from './use_vivienne_logs.js'
export { useWebSocketConnection, type WebSocketConnection } from './use_web_socket_connection.js'
