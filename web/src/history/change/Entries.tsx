import { Fragment } from 'react'
import type { VersionOutcome } from 'vivienne-client'
import { Level } from '../../parts/Level.tsx'
import { Side } from '../../parts/Side.tsx'
import { filterTitle, useFilters } from '../../signals/filterTitles.ts'
import { entriesOf } from '../outcomeWords.ts'
import { type Sided, sidesOf } from './sides.ts'
import classes from './Tables.module.css'

const LEVELS = ['bang', 'aim', 'loaded'] as const
const SIDES = ['long', 'short'] as const

/** Entries of a version by level and side, beside those of the version before. */
export function Entries({ outcome }: { outcome: VersionOutcome }) {
  const sides = sidesOf(outcome)
  return (
    <table className={classes.table}>
      <caption>Entries</caption>
      <Heads
        sides={sides}
        first="Level"
        columns={[<Side key="long" side="long" />, <Side key="short" side="short" />]}
      />
      <tbody>
        {LEVELS.map((level) => (
          <tr key={level}>
            <th scope="row">
              <Level level={level} size="sm" />
            </th>
            {sides.flatMap(({ version, made }) =>
              SIDES.map((side) => (
                <td key={`${version} ${side}`} className="figure" data-first={side === 'long' || undefined}>
                  {made.entries[level][side]}
                </td>
              )),
            )}
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">All</th>
          {sides.map(({ version, made }) => (
            <td key={version} className="figure" colSpan={2} data-first>
              {entriesOf(made)}
            </td>
          ))}
        </tr>
      </tfoot>
    </table>
  )
}

interface HeadsProps {
  sides: readonly Sided[]
  /** Over the first column. */
  first: string
  /** Over those of each version. */
  columns: readonly [React.ReactNode, React.ReactNode]
}

/** The heads of columns: those of the version, and those of the one before. */
export function Heads({ sides, first, columns: [one, other] }: HeadsProps) {
  return (
    <thead>
      <tr className={classes.versions}>
        <td />
        {sides.map(({ version }) => (
          <th key={version} scope="colgroup" colSpan={2} data-first>
            version {version}
          </th>
        ))}
      </tr>
      <tr>
        <th scope="col">{first}</th>
        {sides.map(({ version }) => (
          <Fragment key={version}>
            <th scope="col" data-first>
              {one}
            </th>
            <th scope="col">{other}</th>
          </Fragment>
        ))}
      </tr>
    </thead>
  )
}

/** Number of entries and bars that each filter held back, beside those of the version before. */
export function Held({ outcome }: { outcome: VersionOutcome }) {
  useFilters()
  const sides = sidesOf(outcome)
  const filters = [...new Set(sides.flatMap(({ made }) => made.held.map(({ filter }) => filter)))].sort()
  return (
    <table className={classes.table}>
      <caption>Held back by filters</caption>
      <Heads sides={sides} first="Filter" columns={['entries', 'bars']} />
      <tbody>
        {filters.length === 0 && (
          <tr>
            <th scope="row">No filter held an entry back.</th>
          </tr>
        )}
        {filters.map((filter) => (
          <tr key={filter}>
            <th scope="row">{filterTitle(filter)}</th>
            {sides.map(({ version, made }) => (
              <HeldCells key={version} found={made.held.find((each) => each.filter === filter)} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function HeldCells({ found }: { found: { entries: number; bars: number } | undefined }) {
  return (
    <>
      <td className="figure" data-first>
        {found?.entries ?? 0}
      </td>
      <td className="figure">{found?.bars ?? 0}</td>
    </>
  )
}
