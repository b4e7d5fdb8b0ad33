import type { RevisionEntry } from 'vivienne-client'

const CHANNELS: Readonly<Record<string, string>> = {
  rest: 'REST',
  websocket: 'WebSocket',
  control: 'control message',
  redis: 'Redis',
  import: 'imported file',
  cli: 'command line',
}

/** The way a change came in. */
export function channelWords(channel: string): string {
  return CHANNELS[channel] ?? channel
}

/** Name of the layer of a change. */
export function layerWords(asset: string | null): string {
  return asset ?? 'all assets'
}

/** True if it paused or resumed, and changed no value. */
export function isSwitch({ action }: Pick<RevisionEntry, 'action'>): boolean {
  return action === 'pause' || action === 'resume'
}

/** Words for an action, with the version it refers to if known. */
export function actionWords({ action }: Pick<RevisionEntry, 'action'>, target?: number): string {
  const version = target === undefined ? 'an earlier version' : `version ${target}`
  switch (action) {
    case 'update':
      return 'replaced'
    case 'partial_update':
      return 'changed'
    case 'reset':
      return 'reset'
    case 'activate':
      return `rolled back to ${version}`
    case 'delete':
      return `deleted ${version}`
    case 'pause':
      return 'paused'
    case 'resume':
      return 'resumed'
    default:
      return action
  }
}
