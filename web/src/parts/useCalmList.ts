import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { calmList } from './calmList.ts'

interface CalmListOptions<T> {
  /** Tells one list from another, such as one with another filter: nothing of a former one stays. */
  readonly of: string
  /** Place of an entry in the list; the largest comes first. */
  readonly orderOf: (entry: T) => number
  /** Tells one entry from another. */
  readonly keyOf: (entry: T) => unknown
}

/**
 * Newer entries appear at the top of the list only while nobody is in it: not under the pointer, not while something in
 * it has the focus, not while its beginning is out of sight. Otherwise they are counted, and come on request.
 */
export function useCalmList<T>(
  list: RefObject<HTMLElement | null>,
  entries: readonly T[],
  { of, orderOf, keyOf }: CalmListOptions<T>,
) {
  const [first] = entries
  const newest = first === undefined ? null : orderOf(first)
  const [held, setHeld] = useState({ of, to: newest })
  const shownTo = held.of === of ? held.to : null
  const wanted = useRef(false)
  const before = useRef<{ of: string; shown: readonly T[] }>({ of, shown: [] })
  const shown = useMemo(
    () => calmList(before.current.of === of ? before.current.shown : [], entries, shownTo, orderOf, keyOf),
    [of, entries, shownTo, orderOf, keyOf],
  )
  useEffect(() => {
    before.current = { of, shown }
  }, [of, shown])
  useEffect(() => {
    if (newest === null || newest === shownTo) return
    const follow = shownTo === null || newest < shownTo || wanted.current || !isBusy(list.current)
    if (!follow) return
    wanted.current = false
    setHeld({ of, to: newest })
  }, [of, newest, shownTo, list])
  const expectOne = useCallback(() => {
    wanted.current = true
  }, [])
  const waiting = shownTo === null ? 0 : entries.filter((entry) => orderOf(entry) > shownTo).length
  return {
    shown,
    waiting,
    /** Show what waits. */
    catchUp: () => setHeld({ of, to: newest }),
    /** Shows the newest entries after a change from this list. */
    expectOne,
  }
}

function isBusy(element: HTMLElement | null): boolean {
  if (element === null) return false
  return element.matches(':hover') || element.contains(document.activeElement) || isCut(element)
}

/** True if the beginning of an element is out of sight. */
function isCut(element: HTMLElement): boolean {
  const { top } = element.getBoundingClientRect()
  for (let around = element.parentElement; around !== null; around = around.parentElement) {
    if (around.scrollTop > 0 && top < around.getBoundingClientRect().top) return true
  }
  return top < 0
}
