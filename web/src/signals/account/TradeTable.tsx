import { Button } from '@mantine/core'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import type { PaperAccount } from 'vivienne-client'
import { barAddress } from '../../asset/address.ts'
import { formatBarTime, formatBarUtc, formatDuration, formatPrice, formatSize } from '../../parts/format.ts'
import { Side } from '../../parts/Side.tsx'
import { ticks } from '../../parts/ticks.ts'
import { decimalsFor, formatGain } from '../gain.ts'
import classes from './TradeTable.module.css'

type Trade = PaperAccount['newest_trades'][number]

const MOST = 30
const MINUTE = 60_000
const ENDS: Readonly<Record<NonNullable<Trade['ended_by']>, string>> = {
  exit: 'no position asked for',
  turn: 'side turned',
  hole: 'bars are missing',
}

/** Trades of the account, newest first; each opens the chart at the bar that asked for it. */
export function TradeTable({ account: { trades, open, newest_trades: listed } }: { account: PaperAccount }) {
  const [all, setAll] = useState(false)
  const newest = [...listed].reverse()
  const shown = all ? newest : newest.slice(0, MOST)
  if (shown.length === 0) return null
  const decimals = decimalsFor(newest.map(({ profit }) => profit))
  for (const { asset, entry_price: entry, exit_price: exit } of shown) ticks.learn(asset, [entry, exit])
  return (
    <section className={`panel ${classes.trades}`} aria-label="Newest trades">
      <h2>
        Newest trades{' '}
        {trades + open > listed.length && (
          <small>
            the newest {listed.length} of {trades + open}
          </small>
        )}
      </h2>
      <table className={classes.table}>
        <thead>
          <tr>
            <th>Entry</th>
            <th>Asset</th>
            <th>Side</th>
            <th className={classes.number}>Size</th>
            <th className={classes.number}>Prices</th>
            <th className={classes.number}>Held for</th>
            <th className={classes.number}>Profit</th>
            <th>End</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((trade) => (
            <Row key={`${trade.asset} ${trade.entered_at}`} trade={trade} decimals={decimals} />
          ))}
        </tbody>
      </table>
      {newest.length > MOST && (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll(!all)}>
          {all ? `Show ${MOST}` : `Show ${newest.length}`}
        </Button>
      )}
    </section>
  )
}

function Row({ trade, decimals }: { trade: Trade; decimals: number }) {
  const navigate = useNavigate()
  const { asset, entered_at: entered, exited_at: exited, entry_price: entry, exit_price: exit, profit } = trade
  const digits = ticks.digits(asset)
  // It was entered at the open after the bar that asked for it.
  const address = barAddress(asset, new Date(Date.parse(entered) - MINUTE).toISOString())
  return (
    // The link in it is for the keyboard; the rest of the row is a larger target for the pointer.
    <tr onClick={(event) => event.target instanceof HTMLAnchorElement || void navigate(address)}>
      <td className="figure" title={formatBarUtc(entered)}>
        <Link to={address} aria-label={`${asset}, ${formatBarTime(entered)}`}>
          {formatBarTime(entered)}
        </Link>
      </td>
      <td className={classes.asset}>{asset}</td>
      <td>
        <Side side={trade.side} />
      </td>
      <td className={`figure ${classes.number}`}>{formatSize(trade.size)}</td>
      <td className={`figure ${classes.number} ${classes.prices}`}>
        {formatPrice(entry, digits)} → {formatPrice(exit, digits)}
      </td>
      <td className={`figure ${classes.number} ${classes.held}`}>
        {exited === null ? '' : formatDuration(Date.parse(exited) - Date.parse(entered))}
      </td>
      <td className={`figure ${classes.number} ${classes.profit}`}>{formatGain(profit, decimals)}</td>
      <td className={classes.end}>{trade.ended_by === null ? <strong>open</strong> : ENDS[trade.ended_by]}</td>
    </tr>
  )
}
