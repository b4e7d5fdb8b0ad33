import type { AssetState, ConnectionState } from 'vivienne-client'

/** What kind of market the data comes from, in words for the frame of the page. */
export function marketWords(feed: string): string {
  if (feed === 'simulated') return 'Simulated market'
  if (feed === 'replay') return 'Replay of recorded data'
  return feed
}

/** Names of filters as people say them; an unknown one is shown as it is called. */
const FILTERS: Readonly<Record<string, string>> = {
  volatility: 'Volatility',
  trend: 'Trend',
  levels: 'Levels',
  underused_alpha: 'Retail chop',
  combined_vwap: 'VWAP',
}

export function filterWords(name: string): string {
  return FILTERS[name] ?? name.replaceAll('_', ' ')
}

/** Names of signals as people say them. */
const SIGNALS: Readonly<Record<string, string>> = {
  ema_cross: 'EMA cross',
  macd: 'MACD',
  rsi: 'RSI',
  bb_bounce: 'Band bounce',
  bb_breakout: 'Band breakout',
}

export function signalWords(name: string): string {
  return SIGNALS[name] ?? name.replaceAll('_', ' ')
}

export const STATUS_WORDS: Readonly<Record<AssetState['status'], string>> = {
  live: 'live',
  warming_up: 'warming up',
  stale: 'stale',
  paused: 'paused',
  ended: 'replay ended',
}

/**
 * Who paused it and why, from the reason of a state, without the word everything around it says already: "by ana (rest,
 * version 9): wrong prices". For a pause of all assets, which the frame explains, only that: "with all assets".
 */
export function pauseWords(reason: string | null): string {
  const [, said = reason ?? 'by somebody'] = /^paused (.*)$/s.exec(reason ?? '') ?? []
  if (!said.startsWith('with all assets')) return said
  // What is wrong with it besides is said nowhere else.
  const [, besides = ''] = /(; besides, .*)$/s.exec(said) ?? []
  return `with all assets${besides}`
}

export const CONNECTION_WORDS: Readonly<Record<ConnectionState, string>> = {
  live: 'Live',
  connecting: 'Connecting',
  stale: 'Stale',
  offline: 'Offline',
  refused: 'Not let in',
}
