import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Chart } from 'vivienne-client'
import { record } from '../../client.ts'
import { barLength } from './bars.ts'
import type { PriceChart } from './PriceChart.ts'
import {
  begunWith,
  holding,
  NEAR,
  NO_PAST,
  PAGE,
  type Part,
  type Past,
  shownOf,
  type Wanted,
  wantedFor,
  withFallen,
  withNewer,
  withOlder,
} from './past.ts'

/** Older bars of a chart: loaded as one scrolls back, or around a moment that is far away. */
export interface UsedPast {
  /** What is shown: the bars that are followed, with older ones, or older ones alone. */
  readonly shown: Chart | undefined
  /** True if the newest bars are among them. */
  readonly live: boolean
  readonly loading: boolean
  /** Why no older bars could be had; null while nothing failed. */
  readonly error: string | null
  /** Loads all bars of a part, if they are not there; ends early when it is asked for another part. */
  goTo(part: Part): Promise<void>
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
    if (data === undefined) return
    setPast((held) => {
      const after = withFallen(held, earlier, data)
      // Who looks at the newest bar is not to be left behind.
      return held?.meets && after?.meets === false && chart?.view.atNewest() !== false ? null : after
    })
  }, [data, chart])

  const take = useCallback((taken: Past | null) => {
    // At once, because the view may move before the next render.
    now.current.past = taken
    setPast(taken)
  }, [])

  /** The last of what is being loaded: one after the other. */
  const last = useRef<Promise<void>>(Promise.resolve())
  const busy = useRef(0)
  const load = useCallback((task: () => Promise<void>): Promise<void> => {
    busy.current += 1
    const run = async () => {
      setLoading(true)
      try {
        await task()
        setError(null)
      } catch (failed) {
        setError((failed as Error).message)
      } finally {
        busy.current -= 1
        setLoading(busy.current > 0)
      }
    }
    last.current = last.current.then(run)
    return last.current
  }, [])

  const asked = useRef<Part | null>(null)
  const goTo = useCallback(
    async (part: Part): Promise<void> => {
      asked.current = part
      const { past: held, data: live } = now.current
      if (busy.current === 0 && live !== undefined && wantedFor(held, live, part) === null) {
        // They are there, at most behind others that are shown alone.
        take(holding(held, live, part.end))
        return
      }
      await load(async () => {
        const pages: { page: Chart; wanted: Wanted }[] = []
        // Shown all at once, because nothing is where it was before the last of them.
        const taken = (): Past | null => {
          const { past: present, data: followed } = now.current
          if (followed === undefined) return present
          return pages.reduce<Past | null>(
            (built, { page, wanted }) => (wanted.joins ? withOlder(built ?? NO_PAST, page) : begunWith(page, followed)),
            holding(present, followed, part.end),
          )
        }
        for (;;) {
          const { data: followed } = now.current
          const wanted = followed === undefined ? null : wantedFor(taken(), followed, part)
          if (wanted === null) break
          const page = await record.bars(asset, wanted.before, wanted.limit)
          if (asked.current !== part) return
          // Nothing was recorded then.
          if (page.bars.length === 0 && !wanted.joins) return
          pages.push({ page, wanted })
          if (page.bars.length === 0) break
        }
        take(taken())
      })
    },
    [asset, load, take],
  )

  useEffect(() => {
    if (chart === null || error !== null) return
    let due = false
    let ended = false
    const look = () => {
      due = false
      if (ended) return
      const { past: held, data: live } = now.current
      const sight = chart.view.places()
      if (live === undefined || sight === null || busy.current > 0) return
      const { bars } = shownOf(held, live)
      const [first, newest] = [bars[0], bars.at(-1)]
      if (first === undefined || newest === undefined) return
      if (sight.from < NEAR && !(held?.whole ?? false)) {
        void load(async () => {
          const page = await record.bars(asset, first.time, PAGE)
          take(withOlder(now.current.past ?? NO_PAST, page))
        })
      } else if (held !== null && !held.meets && sight.to > chart.view.count() - NEAR) {
        const end = new Date(Date.parse(newest.time) + (PAGE + 1) * barLength(live.timeframe)).toISOString()
        void load(async () => {
          const page = await record.bars(asset, end, PAGE)
          const { past: present, data: followed } = now.current
          if (present !== null && followed !== undefined) take(withNewer(present, page, followed))
        })
      }
    }
    const leave = chart.onView(() => {
      // Not in between: other bars may have come whose part is shown in a moment.
      if (!due) queueMicrotask(look)
      due = true
    })
    return () => {
      ended = true
      leave()
    }
  }, [chart, asset, load, take, error])

  return {
    shown: useMemo(() => (data === undefined ? undefined : shownOf(past, data)), [past, data]),
    live: past?.meets ?? true,
    loading,
    error,
    goTo,
    leave: useCallback(() => take(null), [take]),
  }
}
