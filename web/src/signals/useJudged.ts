import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'
import type { JudgedSpan } from 'vivienne-client/record'
import { serverClock } from '../clock/clocks.ts'
import { isNotRecorded } from '../parts/failure.ts'
import { useZone } from '../parts/zone.ts'
import { useNewestBar, useRun } from './newestBar.ts'
import { type ChosenSpan, judgedSpan, spanOf } from './span.ts'

const PAUSE_MS = 10_000
/** So long one waits for a state that tells the time of the market; there may be none, while nothing was decided. */
const PATIENCE_MS = 1_500

/** The span that the address asks for. */
export function useSpan(): ChosenSpan {
  const [address] = useSearchParams()
  // A day begins at another moment in another zone.
  const zone = useZone()
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  return useMemo(() => spanOf(address), [address, zone])
}

/**
 * What the record says of the bars of a span; asked for again when a bar has closed, and at once when another run of the market
 * has begun, of which nothing is known yet.
 *
 * @param key tells what is asked for, beside the span
 * @param pause between two requests for the same, in ms; the bars of a fast replay close more often
 */
export function useJudged<T>(
  key: readonly unknown[],
  span: ChosenSpan,
  ask: (span: JudgedSpan) => Promise<T>,
  pause = PAUSE_MS,
): UseQueryResult<T> {
  const newest = useNewestBar()
  const run = useRun()
  const late = useLate()
  const query = useQuery({
    queryKey: ['judged', run, ...key, span],
    queryFn: ({ signal }) => {
      const end = newest === '' ? (serverClock.now() ?? Date.now()) : Date.parse(newest)
      return ask({ ...judgedSpan(span, end), signal })
    },
    enabled: newest !== '' || late,
    // What was there before, until the new one is.
    placeholderData: keepPreviousData,
    staleTime: pause,
    retry: false,
  })
  // Without a record there will be none at the next bar either.
  useAgain(isNotRecorded(query.error) ? '' : newest, query.refetch, pause)
  return query
}

/** Asks again when a newer bar has closed, but not more often than is useful. */
function useAgain(newest: string, refetch: (o: { cancelRefetch: boolean }) => Promise<unknown>, pause: number): void {
  const asked = useRef({ newest, at: -pause })
  useEffect(() => {
    if (newest === '' || newest === asked.current.newest) return
    const again = () => {
      asked.current = { newest, at: performance.now() }
      void refetch({ cancelRefetch: false })
    }
    const timer = setTimeout(again, asked.current.at + pause - performance.now())
    return () => clearTimeout(timer)
  }, [newest, refetch, pause])
}

/** True once the page has waited for long enough. */
function useLate(): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [])
  return late
}
