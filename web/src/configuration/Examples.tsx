import type { DifferentBar } from 'vivienne-client'
import { formatBarTime, formatBarUtc } from '../parts/format.ts'
import { Level } from '../parts/Level.tsx'
import { Side } from '../parts/Side.tsx'
import classes from './Consequence.module.css'

/** The newest bars that would be different. */
export function Examples({ different, of }: { different: readonly DifferentBar[]; of: number }) {
  const newest = different.slice(-5).reverse()
  return (
    <details className={classes.examples}>
      <summary>{newest.length < of ? `The last ${newest.length} of them` : 'Which'}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Bar</th>
            <th scope="col">Now</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((bar) => (
            <tr key={bar.time}>
              <th scope="row" className="figure" title={formatBarUtc(bar.time)}>
                {formatBarTime(bar.time)}
              </th>
              <td>
                <Decided bar={bar.now} />
              </td>
              <td>
                <Decided bar={bar.then} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

function Decided({ bar }: { bar: DifferentBar['now'] }) {
  return (
    <span className={classes.decided}>
      <Level level={bar.clarity_level} held={bar.held} size="sm" />
      <Side side={bar.side} />
      {bar.position_size > 0 && <span className="figure">{bar.position_size} %</span>}
    </span>
  )
}
