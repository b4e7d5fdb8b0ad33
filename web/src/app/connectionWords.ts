import type { ConnectionState } from 'vivienne-client'
import { formatDuration } from '../parts/format.ts'
import { CONNECTION_WORDS } from '../parts/words.ts'
import { type Freshness, JUST } from './freshness.ts'

/** The connection at this moment; times are in ms. */
export interface ConnectionNow {
  readonly state: ConnectionState
  /** Since the last message; null before any. */
  readonly silence: number | null
  /** Until the next attempt; null while none is due. */
  readonly retryIn: number | null
}

/** The connection and the data in short sentences, the most important first; the first one is the state. */
export function connectionSentences(connection: ConnectionNow, data: Freshness): string[] {
  const { state, silence } = connection
  if (state === 'live') return liveSentences(data, 'behind the server')
  return [CONNECTION_WORDS[state], oldWords(state, data.age ?? silence), retryWords(connection, 'retrying')].filter(
    isSaid,
  )
}

/** The same for a narrow page. */
export function briefSentences(connection: ConnectionNow, data: Freshness): string[] {
  const { state, silence } = connection
  if (state === 'live') return liveSentences(data, 'behind')
  const age = data.age ?? silence
  const old = age === null ? 'no data yet' : `data ${formatDuration(age)} old`
  return [CONNECTION_WORDS[state], old, retryWords(connection, 'retry')].filter(isSaid)
}

/** True while what is shown is of now: the connection holds, and data came a moment ago. */
export function isCurrent(state: ConnectionState, { age, ended, troubled }: Freshness): boolean {
  return state === 'live' && !ended && !troubled && age !== null && age < JUST
}

/** What is old because it took long to come is told from what is old because nothing newer was there. */
function liveSentences({ age, delay, ended, troubled }: Freshness, behind: string): string[] {
  if (ended) return ['Replay ended', 'nothing newer will come']
  const live = liveWord(troubled)
  if (age === null) return [live, 'no data yet']
  // A word that flips every second would say no more.
  const data = age < JUST ? 'data now' : `data ${formatDuration(age)} old`
  return [live, data, delay < JUST ? '' : `${formatDuration(delay)} ${behind}`].filter(isSaid)
}

/** A connection that holds is not live while no asset has data to rely on. */
export function liveWord(troubled: boolean): string {
  return troubled ? 'All assets stale' : CONNECTION_WORDS.live
}

function oldWords(state: ConnectionState, age: number | null): string {
  if (age === null) return 'no data yet'
  return state === 'stale' ? `no data for ${formatDuration(age)}` : `the data below is ${formatDuration(age)} old`
}

function retryWords({ state, retryIn }: ConnectionNow, again: string): string {
  if (state !== 'offline' && state !== 'refused') return ''
  if (retryIn === null) return 'not retrying'
  const seconds = Math.ceil(retryIn / 1000)
  return seconds <= 0 ? `${again} now` : `${again} in ${seconds} s`
}

function isSaid(sentence: string): boolean {
  return sentence !== ''
}
