import { useCallback, useEffect, useRef, useState } from 'react'
import type { Chart } from 'vivienne-client'
import { record } from '../../client.ts'
import { barLength } from './bars.ts'
import type { PriceChart } from './PriceChart.ts'
import { begunWith, type Past, shownOf, withFallen, withNewer, withOlder } from './past.ts'

/** Bars of a page. */
const PAGE = 500
/** Nearer to an edge than this, in bars, the next page is fetched. */
const NEAR = 60

/** Older bars of a chart: loaded as one scrolls back, or around a moment that is far away. */
export interface UsedPast {
  /** What is shown: the bars that are followed, with older ones, or older ones alone. */
  readonly shown: Chart | undefined
  /** True if the newest bars are among them. */
  readonly live: boolean
  readonly loading: boolean
  /** Why no older bars could be had; null while nothing failed. */
  readonly error: string | null
  /** Shows the bars around a moment; true at once if they are shown already. */
  goTo(time: string): Promise<boolean>
  /** Back to the bars that are followed. */
  leave(): void
}

/** Keeps older bars beside those that are followed. */
export function usePast(asset: string, data: Chart | undefined, chart: PriceChart | null): UsedPast {
  const [past, setPast] = useState<Past | null>(null)
  const [loading, setLoading] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const now = useRef({ past, data })
  const before = useRef(data)
  now.current = { past, data }

  useEffect(() => {
    const earlier = before.current
    before.current = data
    if (data !== undefined) setPast((held) => withFallen(held, earlier, data))
  }, [data])

  const busy = useRef(false)
  const load = useCallback(
    async (end: string, limit: number, take: (page: Chart, live: Chart) => Past | null): Promise<boolean> => {
      if (busy.current) return false
      busy.current = true
      setLoading(true)
      try {
        const page = await record.bars(asset, end, limit)
        const { data: live } = now.current
        if (live !== undefined) {
          // At once, because the view may move before the next render.
          now.current.past = take(page, live)
          setPast(now.current.past)
        }
        setError(null)
        return true
      } catch (failed) {
        setError((failed as Error).message)
        return false
      } finally {
        busy.current = false
        setLoading(false)
      }
    },
    [asset],
  )

  const goTo = useCallback(
    async (time: string): Promise<boolean> => {
      const { past: held, data: live } = now.current
      if (live === undefined) return false
      const { bars } = shownOf(held, live)
      if (time >= (bars[0]?.time ?? time)) {
        if (time <= (bars.at(-1)?.time ?? time)) return true
        setPast(null)
        return true
      }
      // As many bars after it as before it.
      const end = new Date(Date.parse(time) + PAGE * barLength(live.timeframe)).toISOString()
      return load(end, 2 * PAGE, begunWith)
    },
    [load],
  )

  useEffect(() => {
    if (chart === null || error !== null) return
    return chart.onView(() => {
      const { past: held, data: live } = now.current
      const sight = chart.view.places()
      if (live === undefined || sight === null || busy.current) return
      const { bars } = shownOf(held, live)
      const [first, last] = [bars[0], bars.at(-1)]
      if (first === undefined || last === undefined) return
      if (sight.from < NEAR && !(held?.whole ?? false)) {
        void load(first.time, PAGE, (page) => {
          const known = now.current.past ?? { bars: [], changes: [], meets: true, whole: false }
          return withOlder(known, page)
        })
      } else if (held !== null && !held.meets && sight.to > bars.length - NEAR) {
        const end = new Date(Date.parse(last.time) + (PAGE + 1) * barLength(live.timeframe)).toISOString()
        void load(end, PAGE, (page, current) =>
          now.current.past === null ? null : withNewer(now.current.past, page, current),
        )
      }
    })
  }, [chart, load, error])

  return {
    shown: data === undefined ? undefined : shownOf(past, data),
    live: past?.meets ?? true,
    loading,
    error,
    goTo,
    leave: useCallback(() => setPast(null), []),
  }
}
