import type { QueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { type VivienneClient, VivienneError, VivienneProblem } from 'vivienne-client'
import { askAgain } from './pauses.ts'

/** A pause that was asked for on this page and is not there yet, or was not made. */
export interface Attempt {
  readonly layer: string | null
  readonly pending: boolean
  readonly error: unknown
  readonly reason: string | undefined
  /** Asked again under this id, it is made at most once; there while it is unknown whether it was made. */
  readonly requestId: string | undefined
}

/** The pause is in force, and an agent may still publish decisions; the message names it. */
export class NotConfirmed extends Error {}

interface Switching {
  readonly attempts: ReadonlyMap<string | null, Attempt>
  /** Ids of the pauses made on this page: their reason may be given afterwards. */
  readonly made: ReadonlySet<string>
  /** Whose resumption is asked about; undefined while none is. */
  readonly asked: string | null | undefined
}

let now: Switching = { attempts: new Map(), made: new Set(), asked: undefined }
const listeners = new Set<() => void>()

function change(next: Partial<Switching>): void {
  now = { ...now, ...next }
  for (const listener of listeners) listener()
}

function note(layer: string | null, attempt: Attempt | null): void {
  const attempts = new Map(now.attempts)
  if (attempt === null) attempts.delete(layer)
  else attempts.set(layer, attempt)
  change({ attempts })
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useSwitching(): Switching {
  return useSyncExternalStore(subscribe, () => now)
}

/** Ask whether a layer is to be resumed; with undefined, leave it. */
export function askToResume(asked: string | null | undefined): void {
  change({ asked })
}

export function dismiss(layer: string | null): void {
  note(layer, null)
}

/**
 * Pause a layer now; it is safe, so nobody is asked. What goes wrong is kept, to be shown until it is tried again or
 * dismissed.
 */
export async function pauseNow(
  client: VivienneClient,
  queries: QueryClient,
  layer: string | null,
  reason?: string,
): Promise<void> {
  const former = now.attempts.get(layer)
  if (former?.pending) return
  const again = former?.reason === reason && former?.requestId !== undefined ? { requestId: former.requestId } : {}
  const attempt = { layer, reason, error: null, requestId: undefined }
  note(layer, { ...attempt, pending: true })
  let unconfirmed: NotConfirmed | null = null
  try {
    const made = await client.rest.pause({ asset: layer, ...(reason && { reason }), ...again })
    change({ made: new Set([...now.made, made.config_id]) })
    if (made.status === 'not_confirmed_yet') unconfirmed = new NotConfirmed(made.message)
  } catch (error) {
    const open = error instanceof VivienneError && !(error instanceof VivienneProblem)
    note(layer, { ...attempt, pending: false, error, requestId: open ? error.requestId : undefined })
    void askAgain(queries)
    return
  }
  // The button says that it takes until the page says that it took.
  await askAgain(queries).catch(() => {})
  note(layer, unconfirmed && { ...attempt, pending: false, error: unconfirmed })
}
