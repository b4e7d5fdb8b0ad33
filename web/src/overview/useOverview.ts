import { useDeferredValue, useMemo } from 'react'
import { useAddress, useAddressSet, useAddressText, useChangedAddress } from '../app/address.ts'
import { isStatusWord, ORDER_NAMES, ORDERS, type OverviewFilter, passes } from './filtering.ts'
import { useSteadyOrder } from './order.ts'
import type { Standing } from './standing.ts'

/** What the overview shows of all assets, and in which order: as the address says. */
export function useOverview(standings: readonly Standing[]) {
  const [kind, setKind] = useAddress('order', ORDER_NAMES, 'urgency')
  const [text, setText] = useAddressText('filter')
  const [levels, toggleLevel] = useAddressSet('level')
  const [statuses, toggleStatus] = useAddressSet('status')
  const [sides, toggleSide] = useAddressSet('side')
  const [holders, toggleHolder] = useAddressSet('held-by')
  const name = useDeferredValue(text.trim().toUpperCase())
  const change = useChangedAddress()

  const words = useMemo(() => new Set([...levels, ...statuses]), [levels, statuses])
  const filter: OverviewFilter = useMemo(() => ({ words, sides, holders, name }), [words, sides, holders, name])
  const present = useMemo(() => standings.map(({ asset }) => asset), [standings])
  const wanted = useMemo(
    () =>
      standings
        .filter((standing) => passes(standing, filter))
        .sort(ORDERS[kind].compare)
        .map(({ asset }) => asset),
    [standings, kind, filter],
  )
  const asked = [kind, [...words], [...sides], [...holders], name].join('|')
  const { order: assets, waits, handlers } = useSteadyOrder(wanted, present, asked)
  return {
    assets,
    waits,
    handlers,
    filter,
    /** True if assets may be hidden. */
    filtered: words.size + sides.size + holders.size > 0 || name !== '',
    toggle: {
      word: (word: string) => (isStatusWord(word) ? toggleStatus : toggleLevel)(word),
      side: toggleSide,
      holder: toggleHolder,
    },
    clear: () => {
      setText('')
      change({ level: null, status: null, side: null, 'held-by': null, filter: null })
    },
    order: [kind, setKind] as const,
    text: [text, setText] as const,
  }
}
