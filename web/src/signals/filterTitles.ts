import { useSyncExternalStore } from 'react'
import { useVivienneClient } from 'vivienne-client/react'
import { decisionOf } from '../asset/agent.ts'

/** Titles of filters by their ids, as the explanations have them. */
const titles = new Map<string, string>()
let known: readonly { readonly id: string; readonly title: string }[] = []

/** All filters, in the order of the explanation; none before there was one. */
export function useFilters(): typeof known {
  const { states } = useVivienneClient()
  return useSyncExternalStore(
    (listener) => states.subscribeAll(listener),
    () => {
      if (known.length > 0) return known
      for (const asset of states.assets()) {
        const filters = decisionOf(states.get(asset))?.explanation?.filters ?? []
        if (filters.length === 0) continue
        known = filters.map(({ id, title }) => ({ id, title }))
        for (const { id, title } of known) titles.set(id, title)
        break
      }
      return known
    },
  )
}

/** The title of a filter; its id in words while it is not known. */
export function filterTitle(id: string): string {
  return titles.get(id) ?? id.replaceAll('_', ' ')
}
