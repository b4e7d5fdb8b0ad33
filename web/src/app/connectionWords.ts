import type { ConnectionSnapshot } from 'vivienne-client'
import { formatAge, formatDuration } from '../parts/format.ts'
import { CONNECTION_WORDS } from '../parts/words.ts'

/** Age below which a message counts as now, in ms. */
const JUST = 2500

/** The connection in short sentences, the most important first; the first one is the state. */
export function connectionSentences(snapshot: ConnectionSnapshot, now: number): string[] {
  const { state, lastMessageAt } = snapshot
  const age = lastMessageAt === null ? null : now - lastMessageAt
  if (state === 'live')
    return [CONNECTION_WORDS.live, age === null ? 'no message yet' : `last message ${recentWords(age)}`]
  return [CONNECTION_WORDS[state], oldWords(state, age), retryWords(snapshot, now, 'retrying')].filter(isSaid)
}

/** The same for a narrow page. */
export function briefSentences(snapshot: ConnectionSnapshot, now: number): string[] {
  const { state, lastMessageAt } = snapshot
  if (state === 'live') return connectionSentences(snapshot, now)
  const old = lastMessageAt === null ? 'no data yet' : `data ${formatDuration(now - lastMessageAt)} old`
  return [CONNECTION_WORDS[state], old, retryWords(snapshot, now, 'retry')].filter(isSaid)
}

/** The time of the last message is known to the second; a word that flips every second would say no more. */
function recentWords(age: number): string {
  return age < JUST ? 'now' : formatAge(age)
}

function oldWords(state: ConnectionSnapshot['state'], age: number | null): string {
  if (age === null) return 'no data yet'
  return state === 'stale' ? `no data for ${formatDuration(age)}` : `the data below is ${formatDuration(age)} old`
}

function retryWords({ state, retryAt }: ConnectionSnapshot, now: number, again: string): string {
  if (state !== 'offline' && state !== 'refused') return ''
  if (retryAt === null) return 'not retrying'
  const seconds = Math.ceil((retryAt - now) / 1000)
  return seconds <= 0 ? `${again} now` : `${again} in ${seconds} s`
}

function isSaid(sentence: string): boolean {
  return sentence !== ''
}
