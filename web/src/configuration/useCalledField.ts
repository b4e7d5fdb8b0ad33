import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import { sectionsAround } from './filtering.ts'

/** Duration of the tint of a field a link led to, in ms. */
const TINTED = 2_000

/**
 * Leads to a field: opens the sections around it, scrolls it into sight, focuses it and tints it for a moment.
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
    bringIntoSight(element)
    element.dataset.called = ''
    const timer = setTimeout(() => delete element.dataset.called, TINTED)
    return () => {
      clearTimeout(timer)
      delete element.dataset.called
    }
  }, [called, root])
  return call
}

/** Into the middle of the part of the page that scrolls, which alone is moved where that is enough. */
function bringIntoSight(element: HTMLElement) {
  const scroller = scrollerOf(element)
  if (scroller === null) {
    element.scrollIntoView({ block: 'center' })
    return
  }
  const { top, height } = element.getBoundingClientRect()
  const around = scroller.getBoundingClientRect()
  scroller.scrollTop += top - around.top - (around.height - height) / 2
  element.scrollIntoView({ block: 'nearest' })
}

/** Scrolling element around an element, other than the page. */
function scrollerOf(element: HTMLElement): HTMLElement | null {
  for (let around = element.parentElement; around !== null && around !== document.body; around = around.parentElement) {
    const scrolls = /auto|scroll/.test(getComputedStyle(around).overflowY)
    if (scrolls && around.scrollHeight > around.clientHeight) return around
  }
  return null
}
