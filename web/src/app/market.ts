import type { Standing } from '../overview/standing.ts'
import { FEED_WORDS } from '../parts/words.ts'

/** How the page stands with the exchange, over all assets. */
export interface ExchangeNow {
  readonly exchange: string
  /** "connected", "reconnecting", "2 of 3 blocked". */
  readonly words: string
  readonly troubled: boolean
  /** One line for each asset whose data is not as it should be, with the reason. */
  readonly reasons: readonly string[]
}

type Word = NonNullable<Standing['feedStatus']> | 'stale'

/** Worst first. */
const ORDER: readonly Word[] = ['blocked', 'stale', 'reconnecting', 'connecting', 'catching_up']

function wordOf({ feedStatus, status }: Standing): Word {
  if (feedStatus !== null && feedStatus !== 'connected') return feedStatus
  return status === 'stale' ? 'stale' : 'connected'
}

function said(word: Word): string {
  return word === 'stale' ? word : FEED_WORDS[word]
}

/** Null while no asset is of an exchange. */
export function exchangeNow(standings: readonly Standing[]): ExchangeNow | null {
  const [first] = standings
  if (first === undefined || first.exchange === null) return null
  const words = standings.map(wordOf)
  const worst = ORDER.find((word) => words.includes(word))
  if (worst === undefined)
    return { exchange: first.exchange, words: FEED_WORDS.connected, troubled: false, reasons: [] }
  const count = words.filter((word) => word === worst).length
  return {
    exchange: first.exchange,
    words: count === words.length ? said(worst) : `${count} of ${words.length} ${said(worst)}`,
    troubled: true,
    reasons: standings.flatMap((standing) => {
      const word = wordOf(standing)
      const reason = standing.trouble === null ? '' : `: ${standing.trouble}`
      return word === 'connected' ? [] : [`${standing.asset} ${said(word)}${reason}`]
    }),
  }
}
