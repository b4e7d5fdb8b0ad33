import type { AlertRule } from 'vivienne-client'
import type { AlertChannel, AlertDocument, QuietHours } from 'vivienne-client/alerts'
import { BAR_EVENTS, type ChannelType, type EventType, eventsOf, type Market } from '../words.ts'

/** A header of a webhook, as it is typed. */
export interface DraftHeader {
  readonly key: number
  readonly name: string
  readonly value: string
}

/** A channel as it is typed; fields of other types stay empty. */
export interface DraftChannel {
  /** Tells channels apart while they are edited. */
  readonly key: number
  readonly id: string | undefined
  readonly type: ChannelType
  readonly url: string
  readonly secret: string
  readonly headers: readonly DraftHeader[]
  /** JSON; empty for the alert itself. */
  readonly body: string
  readonly title: string
  readonly sound: boolean
  readonly coalesce: string
  readonly dropExpired: boolean
}

/** Quiet hours as they are typed. */
export interface DraftQuiet {
  readonly key: number
  readonly from: string
  readonly to: string
  readonly zone: string
  readonly days: readonly string[]
}

/** A rule as it is typed: numbers and lists are texts. */
export interface Draft {
  readonly name: string
  readonly enabled: boolean
  readonly assets: string
  readonly events: readonly EventType[]
  readonly levels: readonly string[]
  readonly when: 'reaches' | 'leaves'
  readonly filters: readonly string[]
  readonly crossing: 'above' | 'below'
  readonly confidence: string
  readonly authors: string
  readonly paths: string
  readonly side: '' | 'long' | 'short'
  readonly minSize: string
  readonly minConfidence: string
  readonly markets: readonly Market[]
  readonly cooldown: string
  readonly oncePerBar: boolean
  readonly quiet: readonly DraftQuiet[]
  readonly text: string
  readonly expires: string
  readonly channels: readonly DraftChannel[]
}

const ALL_MARKETS: readonly Market[] = ['real', 'simulated', 'replay']
let keys = 0

/** A key for something that is new in a list. */
export function newKey(): number {
  keys += 1
  return keys
}

/** A new channel. */
export function newChannel(type: ChannelType): DraftChannel {
  return {
    key: newKey(),
    id: undefined,
    type,
    url: '',
    secret: '',
    headers: [],
    body: '',
    title: '',
    sound: true,
    coalesce: '',
    dropExpired: false,
  }
}

/** New quiet hours: the night, in the zone of the viewer. */
export function newQuiet(): DraftQuiet {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
  return { key: newKey(), from: '22:00', to: '07:00', zone, days: [] }
}

/** The draft that a form begins with: a rule as it is listed, or a new one that can be saved at once but for its name. */
export function draftOf(rule: AlertRule | null): Draft {
  const levels: readonly string[] = rule?.levels ?? ['aim', 'bang']
  return {
    name: rule?.name ?? '',
    enabled: rule?.enabled ?? true,
    assets: (rule?.assets ?? ['*']).join(', '),
    events: rule === null ? ['level'] : eventsOf(rule),
    levels,
    when: rule?.when ?? 'reaches',
    filters: rule?.filters ?? [],
    crossing: rule?.below === undefined ? 'above' : 'below',
    confidence: numberText(rule?.above ?? rule?.below),
    authors: (rule?.authors ?? []).join(', '),
    paths: (rule?.paths ?? []).join(', '),
    side: rule?.side === 'long' || rule?.side === 'short' ? rule.side : '',
    minSize: numberText(rule?.min_size),
    minConfidence: numberText(rule?.min_confidence),
    markets: rule?.markets ?? ALL_MARKETS,
    cooldown: numberText(rule?.cooldown || undefined),
    oncePerBar: rule?.once_per_bar ?? true,
    quiet: ((rule?.quiet ?? []) as unknown as QuietHours[]).map(({ days = [], ...hours }) => ({
      ...hours,
      days,
      key: newKey(),
    })),
    text: rule?.text ?? '',
    expires: numberText(rule?.expires_after ?? undefined),
    channels: rule === null ? [newChannel('browser')] : channelsOf(rule),
  }
}

function channelsOf(rule: AlertRule): DraftChannel[] {
  return (rule.channels as unknown as AlertChannel[]).map((channel) => ({
    ...newChannel(channel.type),
    id: channel.id,
    coalesce: numberText(channel.coalesce_above),
    dropExpired: channel.drop_expired ?? false,
    ...(channel.type === 'webhook' && {
      url: channel.url,
      secret: channel.secret ?? '',
      headers: Object.entries(channel.headers ?? {}).map(([name, value]) => ({ key: newKey(), name, value })),
      body: channel.body === undefined || channel.body === null ? '' : JSON.stringify(channel.body, null, 2),
    }),
    ...(channel.type === 'apprise' && { url: channel.url, title: channel.title ?? '' }),
    ...(channel.type === 'browser' && { sound: channel.sound ?? true }),
  }))
}

/** The rule that a draft is, as it is sent. What does not belong to its events is left out. */
export function documentOf(draft: Draft): AlertDocument {
  const { events } = draft
  const watches = (...types: EventType[]) => types.some((type) => events.includes(type))
  const ofBars = watches(...BAR_EVENTS)
  const [event] = events
  return given({
    name: draft.name.trim(),
    enabled: draft.enabled,
    assets: listOf(draft.assets),
    event: events.length === 1 && event !== undefined ? event : [...events],
    levels: watches('level') ? (draft.levels as AlertRule['levels']) : undefined,
    when: watches('level') ? draft.when : undefined,
    filters: watches('held') && draft.filters.length > 0 ? [...draft.filters] : undefined,
    [draft.crossing]: watches('confidence') ? numberOf(draft.confidence) : undefined,
    authors: watches('config') && draft.authors.trim() !== '' ? listOf(draft.authors) : undefined,
    paths: watches('config') && draft.paths.trim() !== '' ? listOf(draft.paths) : undefined,
    side: ofBars && draft.side !== '' ? draft.side : undefined,
    min_size: ofBars ? numberOf(draft.minSize) : undefined,
    min_confidence: ofBars ? numberOf(draft.minConfidence) : undefined,
    markets: [...draft.markets],
    cooldown: numberOf(draft.cooldown) ?? 0,
    once_per_bar: draft.oncePerBar,
    quiet: draft.quiet.map(({ key: _, days, ...hours }) => ({ ...hours, ...(days.length > 0 && { days }) })),
    text: draft.text.trim() === '' ? null : draft.text,
    expires_after: numberOf(draft.expires) ?? null,
    channels: draft.channels.map(channelOf),
  }) as AlertDocument
}

function channelOf(channel: DraftChannel): AlertChannel {
  const { type, id, url, secret, headers, body, title, sound, coalesce, dropExpired } = channel
  const shared = { id, type, coalesce_above: numberOf(coalesce), drop_expired: dropExpired || undefined }
  switch (type) {
    case 'webhook':
      return given({
        ...shared,
        url: url.trim(),
        secret: secret.trim() || undefined,
        headers:
          headers.length === 0 ? undefined : Object.fromEntries(headers.map(({ name, value }) => [name.trim(), value])),
        body: bodyOf(body),
      }) as unknown as AlertChannel
    case 'apprise':
      return given({ ...shared, url: url.trim(), title: title.trim() || undefined }) as unknown as AlertChannel
    case 'browser':
      return given({ ...shared, sound }) as unknown as AlertChannel
    default:
      return given(shared) as unknown as AlertChannel
  }
}

/** A body as it is sent; text that is no JSON is a template of a text. */
function bodyOf(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** True if the body of a webhook begins like JSON and is none. */
export function isBrokenJson(text: string): boolean {
  return /^\s*(\[|\{(?!\{))/.test(text) && typeof bodyOf(text) === 'string'
}

/** A list as it is typed: words with commas or line breaks between them. */
export function listOf(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

/** A number as it is typed; what is none goes to the server, whose words say what is wrong. */
function numberOf(text: string): number | undefined {
  const typed = text.trim()
  if (typed === '') return undefined
  const number = Number(typed.replace(',', '.'))
  return Number.isNaN(number) ? (typed as unknown as number) : number
}

function numberText(value: number | undefined): string {
  return value === undefined ? '' : String(value)
}

function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** True if a value is a secret that is kept by the server and not shown. */
export function isMasked(value: string): boolean {
  return value.endsWith('***')
}
