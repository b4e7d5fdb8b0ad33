import type { WhoAsks } from 'vivienne-client'
import { useSession } from './session.ts'

type Role = WhoAsks['role']

const ROLES: readonly Role[] = ['viewer', 'tuner', 'admin']

/** What each role is for, as a sentence goes on. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: 'may view everything and preview changes',
  tuner: 'may also change the configuration, pause and resume',
  admin: 'may also delete configurations, create and revoke tokens',
}

/** Why the person in front of the page may not do what takes a role, as a sentence; null for who may. */
export function useWhyNot(needed: Role): string | null {
  const { signedIn } = useSession()
  if (signedIn === null || ROLES.indexOf(signedIn.role) >= ROLES.indexOf(needed)) return null
  return `You are signed in as ${signedIn.name} with the role ${signedIn.role}, which ${ROLE_WORDS[signedIn.role]}. This requires a token with the role ${needed}.`
}
