import { useEffect } from 'react'
import { useConnection } from 'vivienne-client/react'
import { byUrgency, type Standing } from '../overview/standing.ts'
import { useStandings } from '../overview/standings.ts'
import { CONNECTION_WORDS } from '../parts/words.ts'

const NAME = 'Vivienne'

/** The loudest asset in the title of the page, so that it is seen among other tabs. */
export function useLoudestTitle(): void {
  const { state } = useConnection()
  const standings = useStandings()
  const title = state === 'live' ? loudest(standings) : CONNECTION_WORDS[state]
  useEffect(() => {
    document.title = `${title} - ${NAME}`
  }, [title])
}

/** Reasons why the level of an asset is not one of now, in the order they are said. */
const QUIET = { paused: 'paused', stale: 'stale', warming_up: 'warming up', ended: 'ended' } as const

/**
 * "BTC bang", "BTC bang held", "all idle"; while some are not decided now, how many: "all idle, 2 paused", "all paused",
 * "1 stale, 1 ended". A level of old data is not among them, but for the last one of a replay: "BTC bang, all ended".
 */
export function loudest(standings: readonly Standing[]): string {
  if (standings.length === 0) return 'no assets yet'
  const quiet = Object.entries(QUIET).flatMap(([status, word]) => {
    const count = standings.filter((one) => one.status === status).length
    return count === 0 ? [] : [count === standings.length ? `all ${word}` : `${count} ${word}`]
  })
  return [...levelWords(standings), ...quiet].join(', ')
}

function levelWords(standings: readonly Standing[]): string[] {
  const decided = ['live', 'ended'].map((status) => standings.filter((one) => one.status === status))
  const [first] = [...(decided.find(({ length }) => length > 0) ?? [])].sort(byUrgency)
  if (first === undefined) return []
  return [first.level === 'idle' ? 'all idle' : `${first.asset} ${first.level}${first.held ? ' held' : ''}`]
}
