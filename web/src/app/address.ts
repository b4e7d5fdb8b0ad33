import { useEffect, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'

const WRITE_AFTER = 250

/** One value of the address, such as `level` in `/logs?level=warning`; the default leaves no trace there. */
export function useAddress<T extends string>(name: string, options: readonly T[], initial: T): [T, (value: T) => void] {
  const [params, setParams] = useSearchParams()
  const found = options.find((option) => option === params.get(name))
  const set = (value: T) =>
    setParams((before) => withParam(before, name, value === initial ? '' : value), { replace: true })
  return [found ?? initial, set]
}

/** Text that is typed and kept in the address; typing is at once, the address follows when it pauses. */
export function useAddressText(name: string): [string, (text: string) => void] {
  const [params, setParams] = useSearchParams()
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
      setParams((before) => withParam(before, name, typed), { replace: true })
    }, WRITE_AFTER)
    return () => clearTimeout(timer)
  }, [typed, name, setParams])

  return [typed, setTyped]
}

function withParam(before: URLSearchParams, name: string, value: string): URLSearchParams {
  const after = new URLSearchParams(before)
  if (value === '') after.delete(name)
  else after.set(name, value)
  return after
}
