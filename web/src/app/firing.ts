import type { Standing } from '../overview/standing.ts'

/** "BTC bang, ETH aim held": what changed is said once. */
export function firingWords(fired: readonly Standing[]): string {
  if (fired.length === 0) return 'No asset at aim or bang'
  return fired.map(({ asset, level, held }) => `${asset} ${level}${held ? ' held' : ''}`).join(', ')
}
