import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useLayoutEffect, useRef, useState } from 'react'
import type { LogRecord } from 'vivienne-client'
import { LogLine } from './LogLine.tsx'
import classes from './LogList.module.css'

/** Heights of a line, as LogLine.module.css has them. */
const LINE = 24
const LINE_ON_PHONE = 46
/** So near to the end counts as there. */
const AT_END = 24

interface LogListProps {
  records: readonly LogRecord[]
  sought: string
  /** True if new records push the old ones up. */
  following: boolean
  /** Called when the person scrolls up or opens a record. */
  onRead: () => void
  /** Called when the person has scrolled to the end. */
  onEnd: () => void
}

/** Any number of records, of which only those in view are in the page. */
export function LogList({ records, sought, following, onRead, onEnd }: LogListProps) {
  const box = useRef<HTMLDivElement>(null)
  const height = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false }) ? LINE_ON_PHONE : LINE
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set())
  const virtualizer = useVirtualizer({
    count: records.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    getItemKey: (place) => records[place]?.id ?? place,
    overscan: 12,
  })

  useLayoutEffect(() => {
    if (following && records.length > 0 && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [records, following])

  const top = useRef(0)
  const onScroll = () => {
    if (box.current === null) return
    const { scrollTop, scrollHeight, clientHeight } = box.current
    const toEnd = scrollHeight - clientHeight - scrollTop
    if (following && scrollTop < top.current && toEnd > AT_END) onRead()
    if (!following && scrollTop > top.current && toEnd <= 2) onEnd()
    top.current = scrollTop
  }

  const toggle = useCallback(
    (id: number) => {
      onRead()
      setOpened((before) => {
        const after = new Set(before)
        if (!after.delete(id)) after.add(id)
        return after
      })
    },
    [onRead],
  )

  return (
    <div
      ref={box}
      className={classes.box}
      onScroll={onScroll}
      onFocus={(event) => {
        // With the keyboard on a line: it must not become another one.
        if (event.target !== box.current && event.target.matches(':focus-visible')) onRead()
      }}
      role="log"
      aria-live="off"
      aria-label="Log records"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
      tabIndex={0}
    >
      <div className={classes.all} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const record = records[index]
          if (record === undefined) return null
          return (
            // By place, not by record: as records move up, lines stay and show others, instead of being rendered again.
            <div
              key={index}
              data-index={index}
              ref={opened.size > 0 ? virtualizer.measureElement : undefined}
              className={classes.place}
              style={{ transform: `translateY(${start}px)` }}
            >
              <LogLine record={record} sought={sought} open={opened.has(record.id)} toggle={toggle} />
            </div>
          )
        })}
      </div>
    </div>
  )
}
