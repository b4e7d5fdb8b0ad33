import { CloseButton } from '@mantine/core'
import { IconCircleCheck } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import { Age } from '../parts/Age.tsx'
import classes from './LastChange.module.css'
import { MadeNotice } from './MadeNotice.tsx'
import { dismissMade, noteInSight, useMade } from './madeChange.ts'

/** The last change made from this page, in force, with one click to take it back; until it is dismissed. */
export function LastChange({ layer, version }: { layer: string | null; version: number | null }) {
  const change = useMade(layer)
  const root = useInSight(layer, change !== undefined)
  if (change === undefined) return null
  const newer = version !== null && version > change.version
  return (
    <div className={classes.last} role="status" ref={root}>
      <IconCircleCheck className={classes.icon} size={18} aria-hidden />
      <div className={classes.words}>
        <strong>
          {newer
            ? `Version ${change.version} was saved; version ${version} is in force now`
            : `Version ${change.version} in force`}
        </strong>{' '}
        <span className={classes.age}>
          <Age time={change.at} />
        </span>
        <div>
          <MadeNotice key={change.version} change={change} />
        </div>
      </div>
      <CloseButton size="sm" aria-label="Dismiss" onClick={() => dismissMade(layer)} />
    </div>
  )
}

/** Notes whether an element is in sight, and not under the frame of the page. */
function useInSight(layer: string | null, isShown: boolean) {
  const root = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!isShown || root.current === null) return
    const observer = new IntersectionObserver(
      (entries) => noteInSight(layer, entries.at(-1)?.isIntersecting === true),
      { rootMargin: '-110px 0px -60px', threshold: 0.5 },
    )
    observer.observe(root.current)
    return () => {
      observer.disconnect()
      noteInSight(layer, false)
    }
  }, [layer, isShown])
  return root
}
