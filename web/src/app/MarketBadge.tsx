import { IconBroadcast, IconFlask, IconPlayerTrackNext, IconUpload } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useAssets, useConnection, useVivienneState } from 'vivienne-client/react'
import { CLOSES } from '../overview/closes.ts'
import { useStandings } from '../overview/standings.ts'
import { marketWords } from '../parts/words.ts'
import { assetsQuery } from '../queries.ts'
import classes from './MarketBadge.module.css'
import { type ExchangeNow, exchangeNow } from './market.ts'

const KINDS = {
  simulated: {
    Icon: IconFlask,
    meaning: 'These prices are made up by a seeded simulation. They are not from any market.',
  },
  replay: { Icon: IconPlayerTrackNext, meaning: 'Recorded prices are replayed.' },
  push: { Icon: IconUpload, meaning: 'Another program delivers these prices. Which market they are from, it knows.' },
}
/** Reasons that are listed; there is one for each asset. */
const MOST_REASONS = 12
const REAL = { Icon: IconBroadcast, meaning: 'Live prices from this market.' }

/** Which market the numbers come from, in words, on every page. */
export function MarketBadge() {
  const feed = useFeed()
  const exchange = exchangeNow(useStandings())
  if (feed === undefined) return null
  if (exchange !== null) return <ExchangeBadge {...exchange} />
  const { Icon, meaning } = KINDS[feed as keyof typeof KINDS] ?? REAL
  return (
    <span className={classes.badge} title={meaning} data-unreal={feed in KINDS || undefined}>
      <Icon size={16} aria-hidden />
      <span>{marketWords(feed)}</span>
    </span>
  )
}

/** A real market, and how the server stands with it. What is not known without a connection to the server is not said. */
function ExchangeBadge({ exchange, words, troubled, reasons }: ExchangeNow) {
  const { state } = useConnection()
  const known = state === 'live'
  return (
    <span
      className={classes.badge}
      title={[REAL.meaning, ...(known ? reasons.slice(0, MOST_REASONS) : [])].join('\n')}
      data-troubled={(known && troubled) || undefined}
    >
      <IconBroadcast size={16} aria-hidden />
      <span>
        {exchange}
        {known && <span className={troubled ? undefined : classes.well}> {words}</span>}
      </span>
    </span>
  )
}

function useFeed(): string | undefined {
  const [first = ''] = useAssets()
  const streamed = useVivienneState(first, (state) => state?.agents.VivienneAgent?.data.feed)
  const listed = useQuery({ ...assetsQuery(CLOSES), select: (list) => list.feed }).data
  return streamed ?? listed
}
