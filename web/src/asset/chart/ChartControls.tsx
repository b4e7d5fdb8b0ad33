import { ActionIcon, NativeSelect, UnstyledButton } from '@mantine/core'
import { IconCalendar, IconLayoutGrid, IconMaximize, IconMinimize, IconRulerMeasure } from '@tabler/icons-react'
import { Link } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { beginningOf } from '../../parts/days.ts'
import type { ChartAddress, Look } from './address.ts'
import { barLength } from './bars.ts'
import classes from './ChartControls.module.css'
import { looksBeside } from './look.ts'
import type { Measuring } from './tools/Measure.tsx'

interface TimeframeProps {
  address: ChartAddress
  /** The decided timeframe; undefined before it is known. */
  decided: string | undefined
}

/** The timeframe to look at. */
export function TimeframeSelect({ address, decided }: TimeframeProps) {
  const looks = decided === undefined ? [] : looksBeside(decided)
  if (decided === undefined || looks.length === 0) return null
  return (
    <NativeSelect
      size="xs"
      className={classes.timeframe ?? ''}
      aria-label="Timeframe to look at"
      title={`Candles of a longer timeframe are for looking; decisions are made on ${decided}`}
      value={address.look ?? ''}
      onChange={(event) =>
        address.setLook(event.currentTarget.value === '' ? null : (event.currentTarget.value as Look))
      }
      data={[{ value: '', label: decided }, ...looks.map((look) => ({ value: look, label: look }))]}
    />
  )
}

interface GoToProps {
  address: ChartAddress
  /** Number of bars to show. */
  range: number
  timeframe: string | undefined
}

/** Shows the bars of a day, however long ago; a day begins in the chosen zone. */
export function GoTo({ address, range, timeframe }: GoToProps) {
  if (timeframe === undefined) return null
  const goTo = (day: string) => {
    const begin = beginningOf(day, 0)
    if (begin === undefined) return
    // The day begins a third of the way from the left.
    const end = Date.parse(begin) + Math.round((range * 2) / 3) * barLength(timeframe)
    address.setView({ bars: range, end: new Date(end).toISOString() })
  }
  return (
    <label className={classes.goTo} title="Go to a day">
      <IconCalendar size={17} aria-hidden />
      <input
        type="date"
        aria-label="Go to a day"
        onClick={(event) => event.currentTarget.showPicker()}
        onChange={(event) => goTo(event.currentTarget.value)}
      />
    </label>
  )
}

/** A logarithmic scale of prices. */
export function LogarithmicButton({ address }: { address: ChartAddress }) {
  return (
    <UnstyledButton
      className={classes.word}
      aria-pressed={address.logarithmic}
      title="Logarithmic scale of prices"
      onClick={() => address.setLogarithmic(!address.logarithmic)}
    >
      Log
    </UnstyledButton>
  )
}

/** Measures with the next drag. */
export function MeasureButton({
  measuring,
  onMeasuring,
}: {
  measuring: Measuring
  onMeasuring: (way: Measuring) => void
}) {
  return (
    <ActionIcon
      variant={measuring === 'pointer' ? 'light' : 'subtle'}
      color="gray"
      aria-pressed={measuring === 'pointer'}
      aria-label="Measure"
      title="Measure with the next drag: bars, time, price, percent. Shift and drag does it at any time."
      onClick={() => onMeasuring(measuring === 'pointer' ? null : 'pointer')}
    >
      <IconRulerMeasure size={17} aria-hidden />
    </ActionIcon>
  )
}

/** Leads to the charts of this asset and others, side by side. */
export function BesideButton({ asset }: { asset: string }) {
  const others = useAssets().filter((other) => other !== asset)
  const assets = [asset, ...others].slice(0, 4).map(encodeURIComponent).join(',')
  return (
    <ActionIcon
      component={Link}
      to={`/charts?assets=${assets}`}
      variant="subtle"
      color="gray"
      aria-label="Charts side by side"
      title={`${asset} and other charts side by side`}
    >
      <IconLayoutGrid size={17} aria-hidden />
    </ActionIcon>
  )
}

/** The chart over the whole screen, or back in its place. */
export function FullButton({ full, onFull }: { full: boolean; onFull: () => void }) {
  const label = full ? 'Leave full screen' : 'Full screen'
  const Icon = full ? IconMinimize : IconMaximize
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={label} title={label} onClick={onFull}>
      <Icon size={17} aria-hidden />
    </ActionIcon>
  )
}
