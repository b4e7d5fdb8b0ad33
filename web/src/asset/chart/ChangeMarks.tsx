import { Popover, UnstyledButton } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import type { Chart } from 'vivienne-client'
import type { Look } from './address.ts'
import { barLength } from './bars.ts'
import classes from './ChangeMarks.module.css'
import { type ChangeGroup, useChangeGroups } from './changes.ts'
import type { PriceChart } from './PriceChart.ts'
import { RevisionCard } from './RevisionCard.tsx'

/** Nearer to each other than this, in pixels, only the later of two marks has its label. */
const CROWDED = 40

interface ChangeMarksProps {
  asset: string
  chart: PriceChart
  data: Chart
  /** The longer timeframe that is drawn, if one is. */
  look?: Look | null
}

/** Times at which configurations came into force: lines with the version, which open the changes. */
export function ChangeMarks({ asset, chart, data, look = null }: ChangeMarksProps) {
  const length = barLength(look ?? data.timeframe)
  const groups = useChangeGroups(asset, data, length)
  const layer = useRef<HTMLUListElement>(null)

  // The marks go with the bars in every frame, so they are placed without rendering.
  useEffect(() => {
    const place = () => {
      const width = chart.width()
      layer.current?.style.setProperty('--candles', `${chart.candlesHeight()}px`)
      let right = Number.POSITIVE_INFINITY
      for (const [index, { time }] of [...groups.entries()].reverse()) {
        const mark = layer.current?.children[index]
        if (!(mark instanceof HTMLElement)) continue
        const x = chart.positionOf(time, length)
        const inSight = x !== null && x >= 0 && x <= width
        mark.hidden = !inSight
        if (!inSight) continue
        mark.style.transform = `translateX(${Math.round(x)}px)`
        mark.toggleAttribute('data-crowded', right - x < CROWDED)
        right = x
      }
    }
    place()
    return chart.onView(place)
  }, [chart, length, groups])

  return (
    <ul ref={layer} className={classes.layer} aria-label="Configuration changes on the chart">
      {groups.map((group) => (
        <li key={group.versions[0]} className={classes.mark} hidden>
          <Mark asset={asset} group={group} />
        </li>
      ))}
    </ul>
  )
}

function Mark({ asset, group: { versions, time } }: { asset: string; group: ChangeGroup }) {
  const [pinned, setPinned] = useState(false)
  const [pointed, setPointed] = useState(false)
  const [first, last] = [versions[0], versions.at(-1)]
  const label = versions.length > 1 ? `v${first}–${last}` : `v${last}`
  return (
    <Popover
      opened={pinned || pointed}
      onChange={(opened) => {
        if (opened) return
        setPinned(false)
        setPointed(false)
      }}
      position="top"
      withArrow
      shadow="md"
      width={320}
    >
      <Popover.Target>
        <UnstyledButton
          className={classes.flag}
          aria-label={`Version ${versions.join(', ')}: its changes`}
          onClick={() => setPinned(!pinned)}
          onPointerEnter={(event) => setPointed(event.pointerType === 'mouse')}
          onPointerLeave={() => setPointed(false)}
        >
          <span className={classes.label}>{label}</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        {versions
          .toReversed()
          .slice(0, 5)
          .map((version) => (
            <RevisionCard key={version} asset={asset} version={version} time={time} />
          ))}
      </Popover.Dropdown>
    </Popover>
  )
}
