import type { RevisionEntry } from 'vivienne-client'
import type { QuietHours } from 'vivienne-client/alerts'
import { assetWords, CHANNELS, eventWords, secondsWords, targetOf } from '../alerts/words.ts'
import { formatValue } from '../parts/format.ts'

const TITLES: Readonly<Record<string, string>> = {
  min_size: 'Least size',
  min_confidence: 'Least confidence',
  cooldown: 'Least time between two',
  once_per_bar: 'Once per bar',
  quiet: 'Quiet hours',
  expires_after: 'Expires after',
  coalesce_above: 'sent together above',
  drop_expired: 'expired ones dropped',
}

/** True if a change is one of a rule of alerts: it belongs to no configuration. */
export function isOfAlert({ action }: Pick<RevisionEntry, 'action'>): boolean {
  return action === 'alert' || action === 'alert_delete'
}

/** Name of the rule of a change; its id where the change does not tell it. */
export function ruleName({ config, changed, alert_id: id }: RevisionEntry): string {
  const name = (config as { name?: unknown }).name ?? changed.find(({ path }) => path === 'name')?.old
  return typeof name === 'string' ? name : (id ?? '')
}

/** What was done to a rule: "made", "switched off". */
export function alertActionWords({ action, changed }: Pick<RevisionEntry, 'action' | 'changed'>): string {
  if (action === 'alert_delete') return 'deleted'
  if (isMade(changed)) return 'made'
  const enabled = changed.find(({ path }) => path === 'enabled')
  if (enabled === undefined || changed.some(({ path }) => path !== 'enabled' && path !== 'problem')) return 'changed'
  return enabled.new === true ? 'switched on' : 'switched off'
}

/** A rule that was made, in words: what it watches, and where it tells. */
export function madeWords({ config, changed }: Pick<RevisionEntry, 'config' | 'changed'>): string | null {
  if (!isMade(changed)) return null
  const rule = config as unknown as Parameters<typeof eventWords>[0] & {
    assets?: string[]
    channels?: Readonly<Record<string, unknown>>[]
  }
  const channels = (rule.channels ?? []).map((channel) =>
    [CHANNELS[channel.type as keyof typeof CHANNELS]?.title ?? channel.type, targetOf(channel)].join(' ').trim(),
  )
  return `${assetWords(rule.assets ?? [])}: ${eventWords(rule)}; to ${channels.join(', ')}`
}

/** Title of a field of a rule: "Name", "Channel c1: url". */
export function alertFieldTitle(path: string): string {
  const [, channel, field] = /^channels\.([^.]+)\.(.+)$/.exec(path) ?? []
  if (channel !== undefined && field !== undefined) return `Channel ${channel}: ${TITLES[field] ?? field}`
  const words = TITLES[path] ?? path.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** A value of a rule as a person reads it. */
export function alertValueWords(path: string, value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return 'none'
  if (path === 'quiet' && Array.isArray(value)) return value.map(quietWords).join('; ')
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ')
  if (typeof value === 'number' && (path === 'cooldown' || path === 'expires_after')) return secondsWords(value)
  return formatValue(value)
}

function quietWords({ from, to, zone = 'UTC', days = [] }: QuietHours): string {
  return [`${from} to ${to}`, zone, days.join(' ')].filter((words) => words !== '').join(' ')
}

function isMade(changed: RevisionEntry['changed']): boolean {
  const name = changed.find(({ path }) => path === 'name')
  return name !== undefined && (name.old === null || name.old === undefined)
}
