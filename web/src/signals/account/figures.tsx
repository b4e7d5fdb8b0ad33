import type { PaperAccount } from 'vivienne-client'
import { formatBarTime, formatNumber, formatPercent } from '../../parts/format.ts'
import { FEW, meanOf } from '../certainty.ts'
import { formatGain, formatPart } from '../gain.ts'
import { Rate } from '../Rate.tsx'
import classes from './figures.module.css'

const WON = { more: 'wins more often', fewer: 'loses more often', unknown: 'cannot tell' } as const

/** The measures of an account, each with what it means. */
export function AccountFigures({ account }: { account: PaperAccount }) {
  const { equity, trades, wins, open, drawdown, exposure, invested, turnover, paid, fee, slippage } = account
  const { drawdown_at: lowest } = account
  return (
    <dl className={classes.figures}>
      <Figure name="Result" note="after costs">
        {formatGain(equity - 100)}
      </Figure>
      <Figure name="Trades" note={open === 0 ? 'none open' : `and ${open} open`}>
        {trades}
      </Figure>
      <Figure name="Trades with a profit" note="after costs" wide>
        {trades === 0 ? '-' : <Rate hits={wins} known={trades} rows={1} words={WON} />}
      </Figure>
      <Figure
        name="Drawdown"
        note={lowest === null ? 'largest fall from a high' : `largest fall from a high, to ${formatBarTime(lowest)}`}
      >
        {formatPart(drawdown)}
      </Figure>
      <Figure name="Exposure" note={`invested on ${formatPercent(invested, 3)} of the bars`}>
        {formatPart(exposure)}
      </Figure>
      <Figure name="Turnover" note="traded value, in equities">
        {formatNumber(turnover, 3)} ×
      </Figure>
      <Figure name="Costs" note={`fee ${formatNumber(fee)}, slippage ${formatNumber(slippage)} basis points`}>
        {formatPart(paid)}
      </Figure>
    </dl>
  )
}

interface FigureProps {
  name: string
  note: string
  wide?: boolean
  children: React.ReactNode
}

function Figure({ name, note, wide = false, children }: FigureProps) {
  return (
    <div data-wide={wide || undefined}>
      <dt>{name}</dt>
      <dd className="figure">{children}</dd>
      <dd className={classes.note}>{note}</dd>
    </div>
  )
}

/** Whether the result can be told from luck, in words. */
export function Luck({ account: { trades, newest_trades: newest } }: { account: PaperAccount }) {
  return <p className={classes.luck}>{luckWords(trades, newest)}</p>
}

export function luckWords(trades: number, newest: PaperAccount['newest_trades']): string {
  const profits = newest.filter(({ ended_by: end }) => end !== null).map(({ profit }) => profit)
  if (profits.length === 0) return 'No trade has ended in this span.'
  if (profits.length < FEW) {
    const said = profits.length === 1 ? 'One trade says' : `${profits.length} trades say`
    return `${said} nothing about skill or luck.`
  }
  const { mean, luck } = meanOf(profits)
  const which = trades > profits.length ? `The newest ${profits.length} trades` : `The ${profits.length} trades`
  const each = `${which} ${mean < 0 ? 'lost' : 'made'} ${formatNumber(Math.abs(mean), 2)} % of equity each on average`
  const found = `${each}, give or take ${formatNumber(luck, 2)} %`
  return Math.abs(mean) < luck
    ? `${found}. This cannot be told from luck.`
    : `${found}. Luck alone seldom ${mean < 0 ? 'costs' : 'gives'} as much, if trades are independent of each other.`
}
