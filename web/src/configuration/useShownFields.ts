import { useMemo, useState } from 'react'
import { type DraftSnapshot, fieldsOf, type SectionSpec } from 'vivienne-client/draft'
import { useAddress, useAddressText } from '../app/address.ts'
import { found, only } from './filtering.ts'

/**
 * Which fields the form shows: what the search finds, and, if wanted, only what differs from the defaults.
 *
 * The fields shown are chosen on request. Fields that begin to differ later are counted (`appeared`) and appear on
 * request, what ceases to differ stays: nothing moves under the pointer.
 */
export function useShownFields(sections: readonly SectionSpec[], snapshot: DraftSnapshot) {
  const [search, setSearch] = useAddressText('find')
  const [kind, setKind] = useAddress('only', ['all', 'differing'], 'all')
  const differing = kind === 'differing'
  const differs = useMemo(() => differingPaths(sections, snapshot), [sections, snapshot])
  const [settled, setSettled] = useState(differs)
  const onDiffering = (wanted: boolean) => {
    setSettled(differs)
    setKind(wanted ? 'differing' : 'all')
  }
  const shown = useMemo(() => {
    const names = found(sections, search)
    if (!differing) return only(sections, names)
    // An edit is never hidden.
    const kept = (path: string) => settled.has(path) || snapshot.fields[path]?.typed !== undefined
    return only(sections, new Set([...names].filter(kept)))
  }, [sections, search, differing, settled, snapshot.fields])
  return {
    sections: shown,
    search,
    appeared: differing ? [...differs].filter((path) => !settled.has(path)).length : 0,
    refresh: () => setSettled(differs),
    showAll: () => {
      if (search !== '') setSearch('')
      if (differing) onDiffering(false)
    },
    toolbar: { search, onSearch: setSearch, differing, onDiffering, differences: differs.size },
  }
}

function differingPaths(sections: readonly SectionSpec[], { fields }: DraftSnapshot): Set<string> {
  return new Set(
    fieldsOf(sections)
      .filter(({ path, default: standard }) => fields[path] !== undefined && fields[path].value !== standard)
      .map(({ path }) => path),
  )
}
