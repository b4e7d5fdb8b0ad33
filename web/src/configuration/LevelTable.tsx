import { formatNumber } from '../parts/format.ts'
import { LEVELS, Level } from '../parts/Level.tsx'
import classes from './Consequence.module.css'
import type { Counted } from './previewTotal.ts'
import { sizeWords } from './reading.ts'

/** Bars at each level, entries and sizes, before and after a change. */
export function LevelTable({ now, then }: { now: Counted; then: Counted }) {
  const rows = [...LEVELS].reverse()
  return (
    <table className={classes.counts}>
      <thead>
        <tr>
          <th scope="col">Bars at level</th>
          <th scope="col">Size</th>
          <th scope="col">Now</th>
          <th scope="col">Then</th>
          <th scope="col">Difference</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((level) => (
          <Count
            key={level}
            name={<Level level={level} size="sm" />}
            size={now.sizes && then.sizes && sizeWords(now.sizes[level], then.sizes[level])}
            now={now[level]}
            then={then[level]}
          />
        ))}
        <Count name="Entry held by a filter" now={now.held} then={then.held} />
        <Count
          name="Entries"
          title="Bars at which a position begins, or changes its side"
          now={now.entries}
          then={then.entries}
        />
        <Count
          name="Mean size (exposure)"
          title="Mean position size over these bars, in percent of equity, long and short alike"
          now={now.exposure}
          then={then.exposure}
          unit=" %"
        />
      </tbody>
    </table>
  )
}

interface CountProps {
  name: React.ReactNode
  title?: string
  size?: React.ReactNode
  now: number
  then: number
  unit?: string
}

function Count({ name, title, size, now, then, unit = '' }: CountProps) {
  const difference = then - now
  const words = (value: number) => `${formatNumber(value, 3)}${unit}`
  return (
    <tr data-same={difference === 0 || undefined} title={title}>
      <th scope="row">{name}</th>
      <td className="figure">{size}</td>
      <td className="figure">{words(now)}</td>
      <td className="figure">{words(then)}</td>
      <td className="figure">
        {difference === 0 ? 'same' : `${difference > 0 ? '+' : '−'}${words(Math.abs(difference))}`}
      </td>
    </tr>
  )
}
