import type { AssetState, ConnectionState } from 'vivienne-client'

/** Kind of the market, in words for the frame of the page. */
export function marketWords(feed: string): string {
  if (feed === 'simulated') return 'Simulated market'
  if (feed === 'replay') return 'Replay of recorded data'
  return feed
}

export const STATUS_WORDS: Readonly<Record<AssetState['status'], string>> = {
  live: 'live',
  warming_up: 'warming up',
  stale: 'stale',
  paused: 'paused',
  ended: 'replay ended',
}

export const CONNECTION_WORDS: Readonly<Record<ConnectionState, string>> = {
  live: 'Live',
  connecting: 'Connecting',
  stale: 'Stale',
  offline: 'Offline',
  refused: 'Access denied',
}
