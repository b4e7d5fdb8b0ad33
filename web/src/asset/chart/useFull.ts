import { useCallback, useEffect, useState } from 'react'

/**
 * Whether something covers the whole screen, and what switches it.
 *
 * The browser is asked for its full screen too. Where it has none, as on some phones, it covers the window. Whatever opens
 * over the page, such as a menu, still opens over it.
 */
export function useFull(): readonly [boolean, () => void] {
  const [full, setFull] = useState(false)
  useEffect(() => {
    if (!full) return
    const changed = () => document.fullscreenElement === null && setFull(false)
    const typed = (event: KeyboardEvent) => event.key === 'Escape' && !event.defaultPrevented && leave()
    const leave = () => {
      setFull(false)
      if (document.fullscreenElement !== null) void document.exitFullscreen()
    }
    document.addEventListener('fullscreenchange', changed)
    document.addEventListener('keydown', typed)
    return () => {
      document.removeEventListener('fullscreenchange', changed)
      document.removeEventListener('keydown', typed)
      if (document.fullscreenElement !== null) void document.exitFullscreen()
    }
  }, [full])
  const toggle = useCallback(() => {
    setFull((before) => !before)
    if (document.fullscreenElement === null) {
      // A browser that refuses leaves the window to cover.
      document.documentElement.requestFullscreen?.().catch(() => {})
    }
  }, [])
  return [full, toggle]
}
