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

/** "BTC bang", "BTC bang held", "all idle"; while some are paused, how many: "all idle, 2 paused", "all paused". */
export function loudest(standings: readonly Standing[]): string {
  const [first] = [...standings].sort(byUrgency)
  if (first === undefined) return 'no assets yet'
  const paused = standings.filter(({ status }) => status === 'paused').length
  if (paused === standings.length) return 'all paused'
  const level = first.level === 'idle' ? 'all idle' : `${first.asset} ${first.level}${first.held ? ' held' : ''}`
  return paused === 0 ? level : `${level}, ${paused} paused`
}
