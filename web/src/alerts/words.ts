import type { AlertEvent, AlertRule, DeliveryEntry } from 'vivienne-client'
import type { AlertChannel } from 'vivienne-client/alerts'
import { filterTitle } from '../signals/filterTitles.ts'

export type EventType = Extract<AlertRule['event'], string>
export type ChannelType = AlertChannel['type']
export type Market = AlertEvent['market']
export type DeliveryStatus = DeliveryEntry['status']

/** Kinds of events: a word for a choice, and what happens. */
export const EVENTS: Readonly<Record<EventType, { readonly title: string; readonly meaning: string }>> = {
  level: { title: 'Level', meaning: 'a level is reached or left' },
  entry: { title: 'Entry', meaning: 'the target size is no longer 0' },
  exit: { title: 'Exit', meaning: 'the target size goes back to 0' },
  size: { title: 'Size', meaning: 'the target size changes' },
  side: { title: 'Side', meaning: 'the side changes' },
  held: { title: 'Held back', meaning: 'a filter holds an entry back' },
  confidence: { title: 'Confidence', meaning: 'the confidence crosses a number' },
  data: { title: 'Data', meaning: 'an asset becomes stale, or recovers' },
  feed: { title: 'Feed', meaning: 'the feed or the exchange changes its state' },
  config: { title: 'Configuration', meaning: 'the configuration is changed' },
  pause: { title: 'Pause', meaning: 'assets are paused or resumed' },
  system: { title: 'System', meaning: 'the store or Redis has trouble, or works again' },
}
export const EVENT_TYPES = Object.keys(EVENTS) as EventType[]

/** Events that a closed bar can cause. */
export const BAR_EVENTS: readonly EventType[] = ['level', 'entry', 'exit', 'size', 'side', 'held', 'confidence']

/** Where an event is offered: with what is traded on, what that rests on, or Vivienne itself. */
export function eventGroup(event: EventType): string {
  if (BAR_EVENTS.includes(event)) return 'Level and position'
  return event === 'data' || event === 'feed' ? 'Data' : 'System'
}

export const CHANNELS: Readonly<Record<ChannelType, { readonly title: string; readonly meaning: string }>> = {
  browser: { title: 'Browser', meaning: 'the bell of this dashboard, a notification and a sound' },
  webhook: { title: 'Webhook', meaning: 'a signed request to a program, such as a trading bot' },
  apprise: { title: 'Message', meaning: 'Telegram, Discord, Slack, mail, ntfy, Pushover and a hundred more' },
  redis: { title: 'Redis', meaning: 'the channel and stream vivienne:alerts' },
}
export const CHANNEL_TYPES = Object.keys(CHANNELS) as ChannelType[]

export const STATUS_WORDS: Readonly<Record<DeliveryStatus, string>> = {
  waiting: 'waiting',
  retrying: 'retrying',
  delivered: 'delivered',
  dead: 'given up',
  quiet: 'quiet hours',
  dropped: 'dropped',
}
export const STATUSES = Object.keys(STATUS_WORDS) as DeliveryStatus[]

export const MARKETS: Readonly<Record<Market, string>> = {
  real: 'Real',
  simulated: 'Simulated',
  replay: 'Replay',
}

/** How an alert that is not of a real market is marked; null for one that is. */
export function unrealWords(market: Market): string | null {
  return market === 'real' ? null : market === 'simulated' ? 'simulated' : 'replay'
}

/** The kinds of events of a rule. */
export function eventsOf({ event }: Pick<AlertRule, 'event'>): readonly EventType[] {
  return typeof event === 'string' ? [event] : event
}

/** What a rule watches: "aim or bang reached, entry". */
export function eventWords(rule: Pick<AlertRule, 'event'> & Partial<AlertRule>): string {
  const words = eventsOf(rule)
    .map((event) => oneEvent(event, rule))
    .join(', ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function oneEvent(event: EventType, rule: Partial<AlertRule>): string {
  switch (event) {
    case 'level':
      return `${either(rule.levels ?? ['aim', 'bang'])} ${rule.when === 'leaves' ? 'left' : 'reached'}`
    case 'size':
      return 'size changed'
    case 'side':
      return 'side changed'
    case 'held': {
      const filters = rule.filters ?? []
      return filters.length === 0 ? 'entry held back' : `entry held back by ${either(filters.map(filterTitle))}`
    }
    case 'confidence':
      return rule.below === undefined ? `confidence above ${rule.above ?? '?'}` : `confidence below ${rule.below}`
    case 'data':
      return 'data stale or back'
    case 'feed':
      return 'feed or exchange changed'
    case 'config':
      return `configuration changed${rule.authors?.length ? ` by ${either(rule.authors)}` : ''}`
    case 'pause':
      return 'paused or resumed'
    case 'system':
      return 'store or Redis in trouble'
    default:
      return event
  }
}

/** Conditions of a rule beside its event, each a few words. */
export function conditionWords(rule: AlertRule): string[] {
  const { side, min_size: size, min_confidence: confidence, markets, cooldown, quiet, paths } = rule
  return [
    side && `${side} only`,
    size && `size at least ${size} %`,
    confidence && `confidence at least ${confidence}`,
    paths?.length && `of ${paths.join(', ')}`,
    markets.length < 3 && `${either(markets)} markets only`,
    cooldown > 0 && `at most every ${secondsWords(cooldown)}`,
    quiet.length > 0 && 'quiet hours',
  ].filter((words) => typeof words === 'string')
}

/** "90 s", "5 min", "2 h". */
export function secondsWords(seconds: number): string {
  for (const [unit, name] of [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ] as const) {
    if (seconds >= unit && seconds % unit === 0) return `${seconds / unit} ${name}`
  }
  return `${seconds} s`
}

/** The assets of a rule. */
export function assetWords(assets: readonly string[]): string {
  return assets.includes('*') ? 'All assets' : assets.join(', ')
}

/** "aim", "aim or bang", "loaded, aim or bang". */
export function either(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

/** Where the messages of a channel go, as far as it may be shown. */
export function targetOf(channel: { readonly [name: string]: unknown }): string {
  return typeof channel.url === 'string' ? channel.url : ''
}

/** The rules in whose name, assets or events a text stands, in any case. */
export function matching(rules: readonly AlertRule[], text: string): readonly AlertRule[] {
  const sought = text.trim().toLowerCase()
  if (sought === '') return rules
  return rules.filter((rule) =>
    `${rule.name} ${assetWords(rule.assets)} ${eventWords(rule)}`.toLowerCase().includes(sought),
  )
}
