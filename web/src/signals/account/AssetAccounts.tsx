import { useSearchParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { useChangedAddress } from '../../app/address.ts'
import { record } from '../../client.ts'
import { sparklinePath } from '../../overview/sparkline.ts'
import { formatNumber } from '../../parts/format.ts'
import type { ChosenCosts } from '../costs/costs.ts'
import { chosenAssets } from '../filter.ts'
import { formatGain, formatPart } from '../gain.ts'
import type { ChosenSpan } from '../span.ts'
import { useJudged } from '../useJudged.ts'
import classes from './AssetAccounts.module.css'
import { oneAfterAnother } from './queue.ts'

interface AssetAccountsProps {
  span: ChosenSpan
  costs: ChosenCosts
}

/** The accounts that each asset has of its own. */
export function AssetAccounts({ span, costs }: AssetAccountsProps) {
  const [address] = useSearchParams()
  const all = useAssets()
  const assets = chosenAssets(address) ?? all
  if (assets.length < 2) return null
  return (
    <section className={`panel ${classes.accounts}`} aria-label="Accounts of the assets">
      <h2>Each asset by itself</h2>
      <table className={classes.table}>
        <thead>
          <tr>
            <th>Asset</th>
            <th aria-label="Equity" />
            <th className={classes.number}>Result</th>
            <th className={classes.number}>Trades</th>
            <th className={classes.number}>With a profit</th>
            <th className={classes.number}>Drawdown</th>
            <th className={classes.number}>Exposure</th>
            <th className={classes.number}>Turnover</th>
            <th className={classes.number}>Costs</th>
          </tr>
        </thead>
        <tbody>
          {assets.map((asset) => (
            <Row key={asset} asset={asset} span={span} costs={costs} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** They are asked for one after the other: the record is read by one thread, and others wait for it too. */
const inTurn = oneAfterAnother()
/** Between two requests for the same account; there may be many. */
const PAUSE_MS = 60_000

function Row({ asset, span, costs }: AssetAccountsProps & { asset: string }) {
  const change = useChangedAddress()
  const { data, error } = useJudged(
    ['account', costs],
    { ...span, assets: [asset] },
    (judged) => inTurn(() => record.account({ ...judged, ...costs }), judged.signal),
    PAUSE_MS,
  )
  const figures =
    data === undefined
      ? null
      : [
          formatGain(data.equity - 100),
          data.open === 0 ? `${data.trades}` : `${data.trades} + ${data.open} open`,
          data.trades === 0 ? '-' : `${data.wins} of ${data.trades}`,
          formatPart(data.drawdown),
          formatPart(data.exposure),
          `${formatNumber(data.turnover, 2)} ×`,
          formatPart(data.paid),
        ]
  return (
    <tr>
      <th scope="row">
        <button type="button" title={`The account of ${asset} alone`} onClick={() => change({ asset }, false)}>
          {asset}
        </button>
      </th>
      <td className={classes.curve}>
        <svg viewBox="0 -2 120 28" preserveAspectRatio="none" aria-hidden="true" focusable="false">
          <path d={sparklinePath(data?.curve.equity ?? [], 120, 24)} />
        </svg>
      </td>
      {NAMES.map((name, place) => (
        <td key={name} className={`figure ${classes.number}`} data-name={name}>
          {figures?.[place] ?? (error === null ? '…' : '-')}
        </td>
      ))}
    </tr>
  )
}

const NAMES = ['result', 'trades', 'with a profit', 'drawdown', 'exposure', 'turnover', 'costs'] as const
