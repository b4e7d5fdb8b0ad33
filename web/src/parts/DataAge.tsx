import { useServerNow } from '../clock/useNow.ts'
import { Age } from './Age.tsx'

/** Age below which data counts as now, in ms: a word that flips several times a second says nothing. */
const JUST = 3000

interface DataAgeProps {
  /** When the newest data came, see `dataTime`. */
  second: number | null
  /** Seconds beyond which it is stale; null where nothing follows from its age. */
  limit: number | null
}

/** Age of the market data of an asset; on hover, its limit. */
export function DataAge({ second, limit }: DataAgeProps) {
  const now = useServerNow()
  const allowed = limit === null ? 'Newest market data' : `Newest market data; stale when older than ${limit} s`
  if (second === null || now === null) return <span title="No market data yet">none</span>
  return now - second < JUST ? <span title={allowed}>now</span> : <Age time={second} note={allowed} />
}
