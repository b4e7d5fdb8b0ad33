import { useElementSize } from '@mantine/hooks'
import { type PointerEvent, useMemo } from 'react'
import { numberTicks, type Tick, timeTicks } from '../axis.ts'
import { useZone } from '../zone.ts'
import classes from './Plot.module.css'
import { areaPath, linePath, nearest, rangeOf, scale } from './scale.ts'

export interface Line {
  readonly name: 'now' | 'before' | 'difference'
  readonly values: readonly number[]
}

interface PlotProps {
  /** Moments in ms, oldest first; each line has a value for each. */
  times: readonly number[]
  lines: readonly Line[]
  band?: { readonly low: readonly number[]; readonly high: readonly number[]; readonly verdict: string }
  /** What screen readers are told. */
  label: string
  height: number
  /** Index of the point that is read. */
  at: number
  /** Null when the pointer leaves. */
  onAt(index: number | null): void
}

/** Room for the labels of times, and a label of numbers per character. */
const BELOW = 22
const CHARACTER = 7
/** Between labels. */
const EACH_TIME = 64
const EACH_NUMBER = 38
const ABOVE = 8

/** Lines over time, with a band, in pixels of its own width: the axes stay readable on every screen. */
export function Plot({ times, lines, band, label, height, at, onAt }: PlotProps) {
  const { ref, width } = useElementSize<HTMLDivElement>()
  const drawn = useDrawn(times, lines, band, width, height)
  const point = ({ clientX, currentTarget }: PointerEvent<Element>) =>
    onAt(nearest(drawn.xs, clientX - currentTarget.getBoundingClientRect().left))
  const x = drawn.xs[at]
  return (
    <div ref={ref} className={classes.plot} style={{ height }}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={label}
          onPointerDown={point}
          onPointerMove={point}
          onPointerLeave={(event) => event.pointerType === 'mouse' && onAt(null)}
        >
          <Axes {...drawn} height={height} />
          {band !== undefined && <path className={classes.band} data-verdict={band.verdict} d={drawn.band} />}
          {lines.map(({ name }, index) => (
            <path key={name} className={classes.line} data-line={name} d={drawn.paths[index]} />
          ))}
          {x !== undefined && (
            <g className={classes.read}>
              <line x1={x} x2={x} y1={ABOVE} y2={height - BELOW} />
              {lines.map(({ name, values }) => (
                <circle key={name} data-line={name} cx={x} cy={drawn.y(values[at] ?? 0)} r={3.5} />
              ))}
            </g>
          )}
        </svg>
      )}
    </div>
  )
}

function Axes({ right, numbers, moments, height }: Drawn & { height: number }) {
  return (
    <g className={classes.axes} aria-hidden>
      {numbers.map(({ at, value, label }) => (
        <g key={value}>
          <line className={label === '0' ? classes.zero : undefined} x1={0} x2={right} y1={at} y2={at} />
          <text x={right + 6} y={at} dominantBaseline="central">
            {label}
          </text>
        </g>
      ))}
      {moments.map(({ at, value, label }) => (
        <g key={value}>
          <line x1={at} x2={at} y1={ABOVE} y2={height - BELOW} />
          <text x={at} y={height - 6} textAnchor={at < 24 ? 'start' : at > right - 24 ? 'end' : 'middle'}>
            {label}
          </text>
        </g>
      ))}
    </g>
  )
}

type Placed = Tick & { readonly at: number }
interface Drawn {
  readonly xs: readonly number[]
  readonly y: (value: number) => number
  readonly right: number
  readonly numbers: readonly Placed[]
  readonly moments: readonly Placed[]
  readonly paths: readonly string[]
  readonly band: string
}

function useDrawn(
  times: readonly number[],
  lines: readonly Line[],
  band: PlotProps['band'],
  width: number,
  height: number,
): Drawn {
  const zone = useZone()
  // biome-ignore lint/correctness/useExhaustiveDependencies: labels are in the zone
  return useMemo(() => {
    const [low, high] = rangeOf(...lines.map(({ values }) => values), ...(band ? [band.low, band.high] : []))
    const y = scale(low, high, height - BELOW, ABOVE)
    const numbers = numberTicks(low, high, Math.floor(height / EACH_NUMBER))
    const right = width - CHARACTER * Math.max(4, ...numbers.map(({ label }) => label.length)) - 8
    const x = scale(times[0] ?? 0, times.at(-1) ?? 0, 1, right - 4)
    const xs = times.map(x)
    return {
      xs,
      y,
      right,
      numbers: numbers.map((tick) => ({ ...tick, at: y(tick.value) })),
      moments: timeTicks(x.low, x.high, Math.floor(right / EACH_TIME)).map((tick) => ({ ...tick, at: x(tick.value) })),
      paths: lines.map(({ values }) => linePath(xs, values.map(y))),
      band: band === undefined ? '' : areaPath(xs, band.low.map(y), band.high.map(y)),
    }
  }, [times, lines, band, width, height, zone])
}
