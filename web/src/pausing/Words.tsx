import { type ReactNode, useLayoutEffect, useRef, useState } from 'react'
import classes from './PauseBanner.module.css'

/** A sentence as long as the line allows; where more was said, all of it is one press away. */
export function Words({ children }: { children: ReactNode }) {
  const words = useRef<HTMLParagraphElement>(null)
  const [isCut, setCut] = useState(false)
  const [whole, setWhole] = useState(false)
  useLayoutEffect(() => {
    const shown = words.current
    if (shown === null || whole) return
    const measure = () =>
      setCut(shown.scrollHeight > shown.clientHeight + 1 || shown.scrollWidth > shown.clientWidth + 1)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(shown)
    return () => observer.disconnect()
  }, [whole])
  return (
    <>
      <p ref={words} className={classes.words} data-whole={whole || undefined} tabIndex={whole ? 0 : undefined}>
        {children}
      </p>
      {(isCut || whole) && (
        <button type="button" className={classes.link} aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? 'Show less' : 'Show all'}
        </button>
      )}
    </>
  )
}
