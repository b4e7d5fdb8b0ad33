import type { WhoAsks } from 'vivienne-client'
import { useSession } from './session.ts'

type Role = WhoAsks['role']

const ROLES: readonly Role[] = ['viewer', 'feeder', 'tuner', 'admin']

/** Rights of each role, as the end of a sentence. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: 'may view everything and preview changes',
  feeder: 'may also push market data',
  tuner: 'may view everything, change the configuration, pause and resume',
  admin: 'may do all of this, delete configurations, create and revoke tokens',
}

/** Reason why the signed-in person lacks a role, as a sentence; null if they have it. */
export function useWhyNot(needed: Role): string | null {
  const { signedIn } = useSession()
  if (signedIn === null || ROLES.indexOf(signedIn.role) >= ROLES.indexOf(needed)) return null
  return `You are signed in as ${signedIn.name} with the role ${signedIn.role}, which ${ROLE_WORDS[signedIn.role]}. This requires a token with the role ${needed}.`
}
