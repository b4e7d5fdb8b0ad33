import { IconBroadcast, IconFlask, IconPlayerTrackNext } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useAssets, useVivienneState } from 'vivienne-client/react'
import { CLOSES } from '../overview/closes.ts'
import { marketWords } from '../parts/words.ts'
import { assetsQuery } from '../queries.ts'
import classes from './MarketBadge.module.css'

const KINDS = {
  simulated: {
    Icon: IconFlask,
    meaning: 'These prices are made up by a seeded simulation. They are not from any market.',
  },
  replay: { Icon: IconPlayerTrackNext, meaning: 'Recorded prices are replayed.' },
}
const REAL = { Icon: IconBroadcast, meaning: 'Live prices from this market.' }

/** Which market the numbers come from, in words, on every page. */
export function MarketBadge() {
  const feed = useFeed()
  const exchange = useExchange()
  if (feed === undefined) return null
  const { Icon, meaning } = KINDS[feed as keyof typeof KINDS] ?? REAL
  return (
    <span className={classes.badge} title={meaning} data-unreal={feed in KINDS || undefined}>
      <Icon size={16} aria-hidden />
      <span>{exchange ?? marketWords(feed)}</span>
    </span>
  )
}

/** The exchange that is followed; null without one. */
function useExchange(): string | null {
  const [first = ''] = useAssets()
  return useVivienneState(first, (state) => state?.agents.VivienneAgent?.data.exchange) ?? null
}

function useFeed(): string | undefined {
  const [first = ''] = useAssets()
  const streamed = useVivienneState(first, (state) => state?.agents.VivienneAgent?.data.feed)
  const listed = useQuery({ ...assetsQuery(CLOSES), select: (list) => list.feed }).data
  return streamed ?? listed
}
