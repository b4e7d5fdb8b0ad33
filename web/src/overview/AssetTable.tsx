import type { CSSProperties } from 'react'
import { formatPrice } from '../parts/format.ts'
import { ticks } from '../parts/ticks.ts'
import classes from './AssetRow.module.css'
import { AssetRow } from './AssetRow.tsx'
import { COLUMN_HEADER, GROUP, ROW, TABLE } from './table.ts'

/** So many tall rows fit on a large screen without scrolling; more are lower and stand in columns. */
const MOST_TALL = 20

/** Characters of a price from which on all of them are written smaller. */
const LONG = 10

/** Characters of a name beyond which names have more room. */
const LONG_NAME = 6

interface AssetTableProps {
  assets: readonly string[]
  closes: ReadonlyMap<string, number[]>
  /** The time the sparklines cover, in words. */
  span: string
  /** Number of assets without a filter; it decides the height of a row. */
  total: number
}

/** Many assets, one line each; very many on a wide page in columns, to be read downwards. */
export function AssetTable({ assets, closes, span, total }: AssetTableProps) {
  const long = assets.some((asset) => formatPrice(closes.get(asset)?.at(-1) ?? 0, ticks.digits(asset)).length > LONG)
  const rows = { '--rows-2': Math.ceil(assets.length / 2), '--rows-3': Math.ceil(assets.length / 3) } as CSSProperties
  return (
    <table
      {...TABLE}
      className={classes.table}
      data-dense={total > MOST_TALL || undefined}
      data-long-prices={long || undefined}
      data-long-names={assets.some(({ length }) => length > LONG_NAME) || undefined}
      aria-label="Assets"
    >
      <thead {...GROUP} className={classes.head}>
        <Headings span={span} />
        {/* Seen above the second and third column of rows. */}
        <Headings span={span} again />
        <Headings span={span} again />
      </thead>
      <tbody {...GROUP} className={classes.body} style={rows}>
        {assets.map((asset) => (
          <AssetRow key={asset} asset={asset} closes={closes.get(asset)} />
        ))}
      </tbody>
    </table>
  )
}

function Headings({ span, again = false }: { span: string; again?: boolean }) {
  return (
    <tr {...ROW} className={classes.headings} data-again={again || undefined} aria-hidden={again || undefined}>
      <th {...COLUMN_HEADER} className={classes.asset}>
        Asset
      </th>
      <th {...COLUMN_HEADER} className={classes.level}>
        Level
      </th>
      <th {...COLUMN_HEADER} className={classes.confidence}>
        Confidence
      </th>
      <th {...COLUMN_HEADER} className={classes.entry}>
        Entry
      </th>
      <th {...COLUMN_HEADER} className={classes.price}>
        Price
      </th>
      <th
        {...COLUMN_HEADER}
        className={classes.change}
        title={span === '' ? undefined : `Change since the first close shown, ${span} ago`}
      >
        {span === '' ? 'Change' : `in ${span}`}
      </th>
      <th {...COLUMN_HEADER} className={classes.sparkline}>
        <span className="unseen">Closes</span>
      </th>
      <th {...COLUMN_HEADER} className={classes.blocker}>
        Blocked by
      </th>
      <th {...COLUMN_HEADER} className={classes.age}>
        Data
      </th>
    </tr>
  )
}
