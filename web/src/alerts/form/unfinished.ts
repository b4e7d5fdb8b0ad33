import { type Draft, isBrokenJson, listOf } from './draft.ts'

/** What is missing before a draft could be a rule, in words; null where only the server can tell. */
export function unfinished(draft: Draft): string | null {
  const { events, channels } = draft
  if (listOf(draft.assets).length === 0) return 'Name at least one asset; * is all of them.'
  if (events.length === 0) return 'Choose at least one event.'
  if (events.includes('level') && draft.levels.length === 0) return 'Choose at least one level.'
  if (events.includes('confidence') && draft.confidence.trim() === '')
    return 'Give the number that the confidence crosses.'
  if (draft.markets.length === 0) return 'Choose at least one kind of market.'
  if (channels.length === 0) return 'Add at least one channel.'
  if (isHalfTyped(draft.text)) return 'A field begins with {{ and ends with }}, as in {{asset}}.'
  if (channels.some(({ type, body }) => type === 'webhook' && isBrokenJson(body))) return 'The body is not JSON yet.'
  return null
}

/** True if a field of a template has begun and not ended. */
function isHalfTyped(template: string): boolean {
  return template.split('{{').length !== template.split('}}').length
}
