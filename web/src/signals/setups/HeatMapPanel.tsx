import { SegmentedControl } from '@mantine/core'
import { type PointerEvent, useMemo, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { useAddress } from '../../app/address.ts'
import { record } from '../../client.ts'
import { filterTitle } from '../filterTitles.ts'
import type { ChosenSpan } from '../span.ts'
import { useJudged } from '../useJudged.ts'
import classes from './HeatMapPanel.module.css'
import {
  type HeatCell,
  type HeatFilter,
  type HeatGrid,
  heatGrid,
  heatPaths,
  keyOf,
  SHADES,
  spanOfCell,
} from './heat.ts'
import { formatUtcDay, formatUtcHour } from './utc.ts'

const UNITS = ['day', 'hour'] as const

interface HeatMapProps {
  span: ChosenSpan
  /** Address of the signals that a filter held, on some days. */
  address: (filter: string, since?: string, until?: string) => string
}

/** How much each filter blocked, over time. */
export function HeatMapPanel({ span, address }: HeatMapProps) {
  const [unit, setUnit] = useAddress('unit', UNITS, 'day')
  const { data, error } = useJudged(['filters', unit], span, (judged) => record.filters({ ...judged, unit }))
  const grid = useMemo(() => (data === undefined ? null : heatGrid(data)), [data])
  if (error !== null && data === undefined) return null
  return (
    <section className={`panel ${classes.heat}`} aria-label="Filters over time">
      <header className={classes.head}>
        <h2>Filters over time</h2>
        <SegmentedControl
          size="xs"
          aria-label="Unit of time"
          value={unit}
          data={[
            { value: 'day', label: 'Days' },
            { value: 'hour', label: 'Hours' },
          ]}
          onChange={(value) => setUnit(value as 'day' | 'hour')}
        />
        <Scale />
      </header>
      <p className={classes.words}>
        Of all decided bars of {unit === 'day' ? 'a day' : 'an hour'} (UTC), the fraction on which a filter blocked.
        {unit === 'hour' && ' The hours of a day stand below each other.'} A click lists the bars of that day on which
        it held an entry back.
      </p>
      {grid === null ? (
        <p className={classes.words}>{data === undefined ? 'Loading …' : 'Nothing was decided in this span.'}</p>
      ) : (
        <Grid grid={grid} address={address} />
      )}
    </section>
  )
}

function Grid({ grid, address }: { grid: HeatGrid; address: HeatMapProps['address'] }) {
  const [read, setRead] = useState<{ filter: HeatFilter; cell: HeatCell } | null>(null)
  const navigate = useNavigate()
  return (
    <div className={classes.grid} data-unit={grid.rows === 1 ? 'day' : 'hour'}>
      {grid.filters.map((filter) => (
        <div key={filter.id} className={classes.row}>
          <Link
            to={address(filter.id)}
            title={`Lists the bars of this span on which ${filterTitle(filter.id)} held an entry back`}
          >
            {filterTitle(filter.id)}
          </Link>
          <Cells
            grid={grid}
            filter={filter}
            onRead={(cell) => setRead(cell === null ? null : { filter, cell })}
            onOpen={(cell) => {
              const [begin, end] = spanOfCell(grid, cell)
              void navigate(address(filter.id, new Date(begin).toISOString(), new Date(end - 1).toISOString()))
            }}
          />
          <span className="figure">{percent(filter.share)}</span>
        </div>
      ))}
      <div className={classes.row} aria-hidden>
        <span />
        <span className={`figure ${classes.days}`}>
          {daysOf(grid).map((day) => (
            <span key={day}>{formatUtcDay(day)}</span>
          ))}
        </span>
        <span />
      </div>
      <p className={classes.reading} aria-hidden>
        {read === null ? ' ' : readingOf(grid, read.filter, read.cell)}
      </p>
    </div>
  )
}

interface CellsProps {
  grid: HeatGrid
  filter: HeatFilter
  onRead: (cell: HeatCell | null) => void
  onOpen: (cell: HeatCell) => void
}

function Cells({ grid: { columns, rows }, filter, onRead, onOpen }: CellsProps) {
  const paths = useMemo(() => [...heatPaths(filter)], [filter])
  const cellAt = (event: PointerEvent | React.MouseEvent<SVGElement>) => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect()
    const column = Math.floor(((event.clientX - left) / width) * columns)
    const row = Math.floor(((event.clientY - top) / height) * rows)
    return filter.cells.get(keyOf(column, row)) ?? null
  }
  return (
    // The link before it is for the keyboard; this is a more exact one for the pointer.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <svg
      className={classes.cells}
      viewBox={`0 0 ${columns} ${rows}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${filterTitle(filter.id)} blocked on ${percent(filter.share)} of ${filter.bars} bars`}
      onPointerMove={(event) => onRead(cellAt(event))}
      onPointerLeave={() => onRead(null)}
      onClick={(event) => {
        const cell = cellAt(event)
        if (cell !== null) onOpen(cell)
      }}
    >
      {paths.map(([shade, path]) => (
        <path key={shade} d={path} style={{ opacity: opacityOf(shade) }} />
      ))}
    </svg>
  )
}

/** What the shades mean. */
function Scale() {
  const shades = Array.from({ length: SHADES + 1 }, (_, shade) => shade)
  return (
    <span className={classes.scale} aria-hidden>
      0 %
      <span>
        {shades.map((shade) => (
          <i key={shade} style={{ opacity: opacityOf(shade) }} />
        ))}
      </span>
      100 %
    </span>
  )
}

/** What is decided and not blocked is seen, unlike what is not decided. */
function opacityOf(shade: number): number {
  return 0.07 + (0.85 * shade) / SHADES
}

function percent(share: number): string {
  const said = share * 100
  if (said > 0 && said < 0.1) return '< 0.1 %'
  return `${said > 0 && said < 1 ? said.toFixed(1) : said.toFixed(0)} %`
}

function readingOf(grid: HeatGrid, { id }: HeatFilter, cell: HeatCell): string {
  const [begin, end] = spanOfCell(grid, cell)
  const when =
    grid.rows > 1
      ? formatUtcHour(begin)
      : grid.days === 1
        ? formatUtcDay(begin)
        : `${formatUtcDay(begin)} to ${formatUtcDay(end - 1)}`
  return `${when}: ${filterTitle(id)} blocked on ${percent(cell.share)} of ${cell.bars} bars`
}

/** The first, some and the last day. */
function daysOf({ begin, days, columns }: HeatGrid): number[] {
  const count = Math.min(columns, 4)
  return Array.from({ length: count }, (_, place) => {
    const column = count === 1 ? 0 : Math.round((place * (columns - 1)) / (count - 1))
    return begin + column * days * 86_400_000
  })
}
