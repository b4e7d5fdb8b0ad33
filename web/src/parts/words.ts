import type { AssetState, ConnectionState } from 'vivienne-client'

/** Kind of the market, in words for the frame of the page. */
export function marketWords(feed: string): string {
  if (feed === 'simulated') return 'Simulated market'
  if (feed === 'replay') return 'Replay of recorded data'
  if (feed === 'push') return 'Pushed by a program'
  return feed
}

export const STATUS_WORDS: Readonly<Record<AssetState['status'], string>> = {
  live: 'live',
  warming_up: 'warming up',
  stale: 'stale',
  paused: 'paused',
  ended: 'replay ended',
}

/** While it is paused, warms up or gets no data there is none; after the end of a replay the last one stays. */
export function hasDecision({ status }: Pick<AssetState, 'status'>): boolean {
  return status === 'live' || status === 'ended'
}

type FeedStatus = NonNullable<AssetState['feed_status']>

export const FEED_WORDS: Readonly<Record<FeedStatus, string>> = {
  connecting: 'connecting',
  connected: 'connected',
  reconnecting: 'reconnecting',
  catching_up: 'catching up',
  blocked: 'blocked',
}

/** True if the feed of an exchange has no data, or not all of it. */
export function isTroubled(status: AssetState['feed_status']): status is FeedStatus {
  return status != null && status !== 'connected'
}

export const CONNECTION_WORDS: Readonly<Record<ConnectionState, string>> = {
  live: 'Live',
  connecting: 'Connecting',
  stale: 'Stale',
  offline: 'Offline',
  refused: 'Access denied',
}
