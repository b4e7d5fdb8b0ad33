import { Button } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { Link } from 'react-router'
import { signedWithin } from '../../history/outcomeWords.ts'
import { FEW, luckOf, type Verdict } from '../certainty.ts'
import { formatGain } from '../gain.ts'
import type { Entered } from '../listWords.ts'
import { Rate } from '../Rate.tsx'
import { type SetupRow, withEntries } from './rows.ts'
import classes from './SetupTable.module.css'

/** More rows are shown on request, unless a table has another limit. */
const MOST = 12

interface SetupTableProps {
  title: string
  /** What is counted, such as "Entries". */
  counted: string
  /** Head of the column of rates, such as "Gained after 16 bars". */
  asked: string
  meant: string
  rows: readonly SetupRow[]
  most?: number
  words: Readonly<Record<Verdict, string>>
  /** How a name is shown; its text otherwise. */
  show?: (name: string) => ReactNode
  /** Where a name leads, and what is listed there: bars, while the table counts entries. */
  address?: (name: string) => string
  listed?: string
  /** What there is to say below the head. */
  children?: ReactNode
}

/** Kinds of entries, and what came of each. */
export function SetupTable({
  title,
  counted,
  asked,
  meant,
  rows,
  most = MOST,
  words,
  show,
  address,
  listed = 'that fired',
  children,
}: SetupTableProps) {
  const [all, setAll] = useState(false)
  const { shown, none } = withEntries(rows)
  const first = all ? shown : shown.slice(0, most)
  return (
    <section className={`panel ${classes.setups}`} aria-label={title}>
      <h2>{title}</h2>
      {children}
      {shown.length === 0 ? (
        <p className={classes.none}>None in this span.</p>
      ) : (
        <table className={classes.table}>
          <thead>
            <tr>
              <th aria-label="Kind" />
              <th className={classes.number}>{counted}</th>
              <th>{asked}</th>
              <th className={classes.number} title="Mean of the returns, before costs">
                {meant}
              </th>
              <th className={classes.number} title="Mean of the largest moves within 96 bars, in ATR">
                For / against
              </th>
            </tr>
          </thead>
          <tbody>
            {first.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  <Name row={row} show={show} address={address} listed={listed} />
                </th>
                <td className={`figure ${classes.number}`} data-unit={counted.toLowerCase()}>
                  {row.entries.toLocaleString('en-US')}
                </td>
                <td className={classes.rate}>
                  <Rate hits={row.hits} known={row.known} rows={shown.length} words={words} />
                </td>
                <Mean row={row} rows={shown.length} />
                <td className={`figure ${classes.number} ${classes.moves}`}>
                  {atr(row.gain)} / {atr(row.loss)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {shown.length > most && (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll(!all)}>
          {all ? `Show ${most}` : `Show all ${shown.length}`}
        </Button>
      )}
      {shown.length > 0 && none.length > 0 && (
        <p className={classes.none}>None: {none.length > MOST ? `${none.length} others` : none.join(', ')}</p>
      )}
    </section>
  )
}

/** "+0.11 % ± 0.21": a mean, and how far luck alone may move it. */
function Mean({ row: { mean, deviation, known }, rows }: { row: SetupRow; rows: number }) {
  if (mean === null) return <td className={classes.number}>-</td>
  if (deviation === null || known < FEW)
    return <td className={`figure ${classes.number} ${classes.unsure}`}>{formatGain(mean)}</td>
  const luck = luckOf(deviation, known, rows)
  const sure = Math.abs(mean) > luck
  return (
    <td
      className={`figure ${classes.number} ${sure ? classes.sure : classes.unsure}`}
      title={sure ? 'Luck alone seldom gives as much' : 'This cannot be told from luck'}
    >
      {signedWithin(mean, luck)} % <small>± {signedWithin(luck, luck).replace('+', '')}</small>
    </td>
  )
}

interface NameProps {
  row: SetupRow
  show: SetupTableProps['show']
  address: SetupTableProps['address']
  listed: string
}

/** The name of a kind; it leads to the list of its bars, which says how many of them are the entries that are counted here. */
function Name({ row: { name, entries }, show, address, listed }: NameProps) {
  const said = show?.(name) ?? name
  if (address === undefined) return said
  const counted = entries === 1 ? '1 began an entry' : `${entries} began an entry`
  return (
    <Link
      to={address(name)}
      state={{ entries } satisfies Entered}
      title={`Lists every bar ${listed}; of these ${counted}`}
    >
      {said}
    </Link>
  )
}

function atr(moves: number | null): string {
  return moves === null ? '-' : moves.toFixed(1)
}
