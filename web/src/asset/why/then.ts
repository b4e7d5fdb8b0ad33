import { createContext, useContext } from 'react'
import type { Configuration } from 'vivienne-client'
import { useFieldSpecs } from '../../configuration/fields.ts'
import { readingOf } from '../../configuration/reading.ts'
import { formatValue } from '../../parts/format.ts'
import { useInForce } from '../agent.ts'
import { valueAt } from './named.ts'

/** The asset and configuration of a decision of the past; null for the newest decision. */
export const ThenContext = createContext<{ readonly asset: string; readonly config: Configuration } | null>(null)

/** The value that a field has now, if reasons of the past are shown that had another: "40 %". */
export function useNowInstead(path: string): string | null {
  const then = useContext(ThenContext)
  const specs = useFieldSpecs()
  const now = useInForce(then?.asset ?? '', (configuration) => valueAt(configuration, path))
  if (then === null || now === undefined || now === valueAt(then.config, path)) return null
  const spec = specs.get(path)
  return (spec && readingOf(spec, now)) ?? formatValue(now)
}
