import { useSyncExternalStore } from 'react'
import type { StateStore } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { decisionOf } from '../asset/agent.ts'

/** When the newest bar opened that was decided, of any asset; '' before there is one. */
export function useNewestBar(): string {
  const { states } = useVivienneClient()
  return useSyncExternalStore(
    (listener) => states.subscribeAll(listener),
    () => newestBar(states),
  )
}

function newestBar(states: StateStore): string {
  let newest = ''
  for (const asset of states.assets()) {
    const time = decisionOf(states.get(asset))?.bar_time ?? ''
    if (time > newest) newest = time
  }
  return newest
}

/** The decided timeframe, such as `15m`; '' before it is known. It is that of all assets. */
export function useTimeframe(): string {
  const { states } = useVivienneClient()
  return useSyncExternalStore(
    (listener) => states.subscribeAll(listener),
    () => {
      const [first] = states.assets()
      return first === undefined ? '' : (decisionOf(states.get(first))?.timeframe ?? '')
    },
  )
}
