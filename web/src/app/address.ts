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

/**
 * Text that is typed and kept in the address; typing is at once, the address follows when it pauses.
 *
 * @param isWhole tells what may go into the address; what is half typed stays in the field alone
 * @returns the text, what takes a new one, and what ends the typing: it writes at once what is whole, and gives the field back
 *   what the address has otherwise
 */
export function useAddressText(
  name: string,
  isWhole: (text: string) => boolean = anything,
): [string, (text: string) => void, () => string] {
  const [params] = useSearchParams()
  const change = useRef<ReturnType<typeof useChangedAddress>>(() => {})
  change.current = useChangedAddress()
  const kept = params.get(name) ?? ''
  const [typed, setTyped] = useState(kept)
  const writes = useRef(new OwnWrites(kept))

  // The address was changed by someone else: a link, or the way back.
  useEffect(() => {
    if (writes.current.isOther(kept)) setTyped(kept)
  }, [kept])

  const type = useCallback((text: string) => {
    writes.current.typed()
    setTyped(text)
  }, [])

  const write = useCallback(() => {
    if (!writes.current.wants(typed) || !isWhole(typed)) return
    writes.current.add(typed)
    change.current({ [name]: typed })
  }, [typed, name, isWhole])

  useEffect(() => {
    const timer = setTimeout(write, WRITE_AFTER)
    return () => clearTimeout(timer)
  }, [write])

  const settle = useCallback(() => {
    write()
    if (isWhole(typed)) return typed
    setTyped(writes.current.last)
    return writes.current.last
  }, [write, isWhole, typed])

  return [typed, type, settle]
}

function anything(): boolean {
  return true
}

/** What a field wrote into the address. It may come back late, when more has been typed, and must not take that away. */
export class OwnWrites {
  /** What the address has, or will have in a moment. */
  last: string
  #underWay: string[] = []
  #isTyped = false

  constructor(kept: string) {
    this.last = kept
  }

  /** Notes that something was typed. */
  typed(): void {
    this.#isTyped = true
  }

  /**
   * True if the address is to have the text of the field. What was there before somebody else changed the address is not
   * typed: the field may show it for a moment.
   */
  wants(text: string): boolean {
    return this.#isTyped && text !== this.last
  }

  add(text: string): void {
    this.last = text
    this.#underWay.push(text)
  }

  /** True if the address has something that this field did not write. */
  isOther(kept: string): boolean {
    const place = this.#underWay.indexOf(kept)
    if (place >= 0) {
      // Of several writes in a row the address may show only the last.
      this.#underWay.splice(0, place + 1)
      return false
    }
    if (kept === this.last) return false
    this.last = kept
    this.#underWay = []
    this.#isTyped = false
    return true
  }
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
