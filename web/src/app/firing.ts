import { byUrgency, type Standing } from '../overview/standing.ts'

/** The assets at aim or bang by data that is current, the most urgent first; a held one is among them. */
export function firing(standings: readonly Standing[]): readonly Standing[] {
  return standings
    .filter(({ level, status }) => status === 'live' && (level === 'aim' || level === 'bang'))
    .sort(byUrgency)
}

/** "BTC bang, ETH aim held": what changed is said once. */
export function firingWords(fired: readonly Standing[]): string {
  if (fired.length === 0) return 'No asset at aim or bang'
  return fired.map(({ asset, level, held }) => `${asset} ${level}${held ? ' held' : ''}`).join(', ')
}
