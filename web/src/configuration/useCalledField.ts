import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import { sectionsAround } from './filtering.ts'

/** How long a field somebody was sent to is tinted, in ms. */
const TINTED = 2_000

/**
 * Brings somebody to a field: opens what is around it, scrolls it into sight, focuses it and tints it for a moment.
 *
 * @param field - the path the address asks for
 * @param open - make the sections of these paths, and all fields in them, visible
 * @returns calls another field
 */
export function useCalledField(
  root: RefObject<HTMLElement | null>,
  field: string | null,
  open: (sections: string[]) => void,
): (path: string) => void {
  const [called, setCalled] = useState<{ path: string } | null>(null)
  const opening = useRef(open)
  useEffect(() => {
    opening.current = open
  })
  const call = useCallback((path: string) => {
    opening.current(sectionsAround(path))
    setCalled({ path })
  }, [])
  useEffect(() => {
    if (field !== null) call(field)
  }, [field, call])

  // After the sections have opened.
  useEffect(() => {
    if (called === null) return
    const element = root.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(called.path)}"]`)
    if (!element) return
    const input = element.querySelector<HTMLElement>('input, textarea, select') ?? element.querySelector('button')
    input?.focus({ preventScroll: true })
    element.scrollIntoView({ block: 'center' })
    element.dataset.called = ''
    const timer = setTimeout(() => delete element.dataset.called, TINTED)
    return () => {
      clearTimeout(timer)
      delete element.dataset.called
    }
  }, [called, root])
  return call
}
