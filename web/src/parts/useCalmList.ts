import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'

/**
 * Newer entries, by `orderOf`, appear at the top of the list only while nobody is in it: not under the pointer, not while something in
 * it has the focus, not while its beginning is out of sight. Otherwise they are counted, and come on request.
 */
export function useCalmList<T>(
  list: RefObject<HTMLElement | null>,
  entries: readonly T[],
  orderOf: (entry: T) => number,
) {
  const [first] = entries
  const newest = first === undefined ? null : orderOf(first)
  const [shownTo, setShownTo] = useState(newest)
  const wanted = useRef(false)
  useEffect(() => {
    if (newest === null || newest === shownTo) return
    const follow = shownTo === null || newest < shownTo || wanted.current || !isBusy(list.current)
    if (!follow) return
    wanted.current = false
    setShownTo(newest)
  }, [newest, shownTo, list])
  const expectOne = useCallback(() => {
    wanted.current = true
  }, [])
  const shown = shownTo === null ? entries : entries.filter((entry) => orderOf(entry) <= shownTo)
  return {
    shown,
    waiting: entries.length - shown.length,
    /** Show what waits. */
    catchUp: () => setShownTo(newest),
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
