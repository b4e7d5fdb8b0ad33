import { useSyncExternalStore } from 'react'
import type { WhoAsks } from 'vivienne-client'
import { askCaller } from 'vivienne-client/token'
import { ROOT, SERVER } from '../app/root.ts'
import { withFewReads } from './fewReads.ts'

/** Identity that a token gives to the page. */
interface SignedIn {
  readonly token: string
  readonly name: string
  readonly role: WhoAsks['role']
}

/** Access of this page to the server, and under which name. */
export interface Session {
  /** Null where no token is shown: where the server demands none, that is all there is. */
  readonly signedIn: SignedIn | null
  /** Reason why the server denies access; null while it grants it or has not answered. */
  readonly shut: { readonly reason: string; readonly former: string | null } | null
}

// Another Vivienne under another path of the same host has tokens of its own.
const KEY = `vivienne-signed-in${ROOT}`
const listeners = new Set<() => void>()
let session: Session = { signedIn: recall(), shut: null }

export function getSession(): Session {
  return session
}

/** Calls the listener when it changes. Returns a function that ends it. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useSession(): Session {
  return useSyncExternalStore(onSession, getSession)
}

/** The token that is shown to the server; '' is none. */
export function shownToken(): string {
  return session.signedIn?.token ?? ''
}

/**
 * Show a token from now on, if the server knows it.
 *
 * @throws VivienneError - it does not, or cannot be reached
 */
export async function signIn(token: string): Promise<void> {
  const { token: name, role } = await askCaller(SERVER, token)
  // A server that answers without a name demands none, and knows none.
  enter(name === null ? null : { token, name, role })
}

/** Forget the token. What was typed stays in the tab. */
export function signOut(): void {
  const former = session.signedIn
  if (former !== null) shut('You are signed out', null)
}

/** The server does not let this page in any more; says so, unless that is known. */
export function turnedAway(reason: string): void {
  if (session.shut !== null) return
  const former = session.signedIn
  shut(reason, former?.name ?? null)
  if (former !== null) void enterWithoutToken()
}

/** Two windows with as many leave connections for a pause, of the six that a browser opens to a server. */
const MOST_READS = 2
const send = withFewReads((input, init) => fetch(input, init), MOST_READS)

/** As `fetch`; a server that answers 401 to what this page shows turns it away. */
export const watchedFetch: typeof fetch = async (input, init) => {
  const shown = shownToken()
  const response = await send(input, init)
  if (response.status === 401 && shown === shownToken()) void notice(response.clone())
  return response
}

async function notice(response: Response): Promise<void> {
  // A proxy in between may refuse by itself; that is nothing a token would help with.
  const { code, detail } = await response.json().catch(() => ({}))
  if (code === 'unauthorized') turnedAway(detail)
}

/** A token of another server, or of another time, must not keep anybody out who needs none. */
async function enterWithoutToken(): Promise<void> {
  try {
    await askCaller(SERVER, '')
  } catch {
    return // a token is needed, as the page says
  }
  if (session.signedIn === null) enter(null)
}

function enter(signedIn: SignedIn | null): void {
  remember(signedIn)
  change({ signedIn, shut: null })
}

function shut(reason: string, former: string | null): void {
  remember(null)
  change({ signedIn: null, shut: { reason, former } })
}

function change(next: Session): void {
  session = next
  for (const listener of [...listeners]) listener()
}

/** It belongs to the tab, and ends with it. */
function remember(signedIn: SignedIn | null): void {
  try {
    if (signedIn === null) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, JSON.stringify(signedIn))
  } catch {
    // Without storage one signs in again after a reload.
  }
}

function recall(): SignedIn | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
  } catch {
    return null
  }
}
