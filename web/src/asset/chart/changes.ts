import { useEffect, useMemo, useRef, useState } from 'react'
import type { ChangeMark, Chart } from 'vivienne-client'
import { useVivienneClient, useVivienneState } from 'vivienne-client/react'
import { decisionOf } from '../agent.ts'

/** Versions that came into force within one bar. */
export interface ChangeGroup {
  readonly versions: readonly number[]
  /** Market time of the last of them. */
  readonly time: string
}

/** More changes than this are not marked; the history has them all. */
const MOST = 60

/** Changes known to the server and seen by the page, each once, those within a bar together, oldest first. */
export function groupChanges(known: readonly ChangeMark[], seen: readonly ChangeMark[], length: number): ChangeGroup[] {
  const times = new Map([...seen, ...known].map(({ version, time }) => [version, time]))
  const groups: { versions: number[]; time: string; bar: number }[] = []
  for (const [version, time] of [...times].sort(([one], [other]) => one - other)) {
    const bar = Math.floor(Date.parse(time) / length)
    const last = groups.at(-1)
    if (last?.bar === bar) {
      last.versions.push(version)
      last.time = time
    } else groups.push({ versions: [version], time, bar })
  }
  return groups.slice(-MOST).map(({ versions, time }) => ({ versions, time }))
}

/**
 * When configurations came into force for the asset. A change is there with the state that brings it, before the
 * server is asked. Those within `length` ms stand together.
 */
export function useChangeGroups(asset: string, data: Chart, length: number): readonly ChangeGroup[] {
  const client = useVivienneClient()
  const version = useVivienneState(asset, (state) => state?.config_version)
  const [seen, setSeen] = useState<readonly ChangeMark[]>([])
  const before = useRef(version)
  useEffect(() => {
    const known = before.current
    before.current = version
    const time = decisionOf(client.states.get(asset))?.price_time
    if (version === undefined || known === undefined || version === known || !time) return
    setSeen((marks) => [...marks.filter((mark) => mark.version !== version), { version, time }].slice(-MOST))
  }, [client, asset, version])
  return useMemo(() => groupChanges(data.changes ?? [], seen, length), [data.changes, length, seen])
}
