/**
 * Alerts: rules that say what is told to whom, what was told, and what became of each message.
 *
 * @packageDocumentation
 */

export { alertFields } from '../generated/alert_fields.js'
export {
  type AlertChangeOptions,
  type AlertChannel,
  type AlertDocument,
  type AppriseChannel,
  type BrowserChannel,
  type DeliveryOptions,
  type QuietHours,
  type RedisChannel,
  VivienneAlerts,
  type WebhookChannel,
} from './alerts.js'
export { AlertStream, type AlertStreamOptions } from './stream.js'
