import type { AlertRule } from 'vivienne-client'
import { CHANNELS, targetOf } from './words.ts'

export type Undelivered = AlertRule['undelivered'][number]

/** A message that is so young is on its way, and not stuck. */
const ON_ITS_WAY_MS = 5_000

/** What has not arrived and is worth saying: not what has only just been decided. */
export function stuckOf({ undelivered }: Pick<AlertRule, 'undelivered'>, now: number | null): readonly Undelivered[] {
  return undelivered.filter(
    ({ status, created_at: made }) => status !== 'waiting' || (now !== null && now - Date.parse(made) > ON_ITS_WAY_MS),
  )
}

/** Name of a channel; with its address where the rule has several of its type. */
export function channelName(
  { channels }: Pick<AlertRule, 'channels'>,
  { channel, channel_type: type }: Undelivered,
): string {
  const target = targetOf(channels.find(({ id }) => id === channel) ?? {})
  const isOnly = channels.filter((each) => each.type === type).length < 2
  return isOnly || target === '' ? CHANNELS[type].title : `${CHANNELS[type].title} ${target}`
}

/** How a channel stands, between its name and the time since when. */
export function stuckWords({ status }: Pick<Undelivered, 'status'>): string {
  switch (status) {
    case 'retrying':
      return 'has failed for'
    case 'waiting':
      return 'has had a message waiting for'
    case 'dead':
      return 'did not take the last message. It was given up; its alert fired'
    default:
      return 'did not get the last message. It was dropped; its alert fired'
  }
}

/** The answer of the receiver, with its status: "503 overloaded"; empty where there was none. */
export function answerWords({ status_code: code, answer }: Pick<Undelivered, 'status_code' | 'answer'>): string {
  return [code, answer]
    .filter((word) => word !== null && word !== '')
    .join(' ')
    .replace(/\.$/, '')
}
