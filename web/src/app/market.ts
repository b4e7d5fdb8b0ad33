import type { Standing } from '../overview/standing.ts'
import { FEED_WORDS } from '../parts/words.ts'

/** How the page stands with the exchange, over all assets. */
export interface ExchangeNow {
  readonly exchange: string
  /** "connected", "reconnecting", "1 of 3 blocked", "1 blocked, 2 reconnecting". */
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

function summary(troubles: readonly { word: Word; count: number }[], total: number): string {
  const [worst, next] = troubles
  if (worst === undefined) return FEED_WORDS.connected
  // One that is blocked for good must not hide that the others are cut off.
  if (next !== undefined) return `${worst.count} ${said(worst.word)}, ${next.count} ${said(next.word)}`
  return worst.count === total ? said(worst.word) : `${worst.count} of ${total} ${said(worst.word)}`
}

/** Null while no asset is of an exchange. */
export function exchangeNow(standings: readonly Standing[]): ExchangeNow | null {
  const [first] = standings
  if (first === undefined || first.exchange === null) return null
  const words = standings.map(wordOf)
  const counted = ORDER.map((word) => ({ word, count: words.filter((other) => other === word).length }))
  const troubles = counted.filter(({ count }) => count > 0)
  return {
    exchange: first.exchange,
    words: summary(troubles, words.length),
    troubled: troubles.length > 0,
    reasons: standings.flatMap((standing) => {
      const word = wordOf(standing)
      const reason = standing.trouble === null ? '' : `: ${standing.trouble}`
      return word === 'connected' ? [] : [`${standing.asset} ${said(word)}${reason}`]
    }),
  }
}
