import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useHref, useLocation, useNavigate, useSearchParams } from 'react-router'

const WRITE_AFTER = 250

/** One value of the address, such as `level` in `/logs?level=warning`; the default leaves no trace there. */
export function useAddress<T extends string>(name: string, options: readonly T[], initial: T): [T, (value: T) => void] {
  const [params] = useSearchParams()
  const change = useChangedAddress()
  const found = options.find((option) => option === params.get(name))
  const set = (value: T) => change({ [name]: value === initial ? null : value })
  return [found ?? initial, set]
}

/** A set of words of the address, such as `side` in `/?side=long,short`, and what puts a word in or takes it out. */
export function useAddressSet(name: string): [ReadonlySet<string>, (word: string) => void] {
  const [params] = useSearchParams()
  const change = useChangedAddress()
  const text = params.get(name) ?? ''
  const words = useMemo(() => new Set(text.split(',').filter((word) => word !== '')), [text])
  const toggle = (word: string) => {
    const after = new Set(words)
    if (!after.delete(word)) after.add(word)
    change({ [name]: [...after].join(',') })
  }
  return [words, toggle]
}

/** Text that is typed and kept in the address; typing is at once, the address follows when it pauses. */
export function useAddressText(name: string): [string, (text: string) => void] {
  const [params] = useSearchParams()
  const change = useRef<ReturnType<typeof useChangedAddress>>(() => {})
  change.current = useChangedAddress()
  const kept = params.get(name) ?? ''
  const [typed, setTyped] = useState(kept)
  const written = useRef(kept)

  // The address was changed by someone else: a link, or the way back.
  useEffect(() => {
    if (kept === written.current) return
    written.current = kept
    setTyped(kept)
  }, [kept])

  useEffect(() => {
    if (typed === written.current) return
    const timer = setTimeout(() => {
      written.current = typed
      change.current({ [name]: typed })
    }, WRITE_AFTER)
    return () => clearTimeout(timer)
  }, [typed, name])

  return [typed, setTyped]
}

/** Values of the address to set, by name; null or nothing removes one. */
type Values = Readonly<Record<string, string | null>>

/**
 * Changes values of the address, and leaves the others as they are at that moment: those of the last render may be older, and
 * would take back what another part of the page has just set.
 */
export function useChangedAddress(): (values: Values, replace?: boolean) => void {
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const href = useHref({ pathname })
  return useCallback(
    (values, replace = true) => {
      // Another page was opened in between: these values are not its own.
      if (pagePath(href) !== pagePath(window.location.href)) return
      const after = new URLSearchParams(window.location.search)
      for (const [name, value] of Object.entries(values)) {
        if (value === null || value === '') after.delete(name)
        else after.set(name, value)
      }
      void navigate({ pathname, search: after.toString() }, { replace, preventScrollReset: true })
    },
    [navigate, pathname, href],
  )
}

/** Path of a page, as the browser writes it, without a slash at its end. */
function pagePath(href: string): string {
  return new URL(href, window.location.origin).pathname.replace(/\/$/, '')
}
