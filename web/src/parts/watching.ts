import { type RefObject, useEffect, useState, useSyncExternalStore } from 'react'

function subscribe(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener)
  return () => document.removeEventListener('visibilitychange', listener)
}

/** True while the page is in sight: not in a tab behind another one. */
export function useWatched(): boolean {
  return useSyncExternalStore(subscribe, () => document.visibilityState !== 'hidden')
}

/** True while an element is in sight, or nearly; nothing needs to be fetched for one that is not. */
export function useInSight(element: RefObject<Element | null>): boolean {
  const watched = useWatched()
  const [near, setNear] = useState(false)
  useEffect(() => {
    const target = element.current
    if (target === null) return
    const observer = new IntersectionObserver(
      (entries) => setNear(entries.some(({ isIntersecting }) => isIntersecting)),
      { rootMargin: '100px' },
    )
    observer.observe(target)
    return () => observer.disconnect()
  }, [element])
  return watched && near
}
