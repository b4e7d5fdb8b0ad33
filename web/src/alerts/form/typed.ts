import type { Draft } from './draft.ts'

/**
 * What was typed into forms that were left without saving or cancelling, by rule and version ('' for a new one). It is kept in the memory of the
 * page alone: there may be secrets in it.
 */
const kept = new Map<string, Draft>()

export function typedBefore(id: string): Draft | undefined {
  return kept.get(id)
}

export function keepTyped(id: string, draft: Draft): void {
  kept.set(id, draft)
}

export function forgetTyped(id: string): void {
  kept.delete(id)
}
