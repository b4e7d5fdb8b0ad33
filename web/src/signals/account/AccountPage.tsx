import { Skeleton } from '@mantine/core'
import type { PaperAccount } from 'vivienne-client'
import { record } from '../../client.ts'
import { formatBarTime } from '../../parts/format.ts'
import { CostsChoice } from '../costs/CostsChoice.tsx'
import { useCosts } from '../costs/costs.ts'
import page from '../SignalsPage.module.css'
import { SpanChoice } from '../SpanChoice.tsx'
import { Unread } from '../Unread.tsx'
import { useJudged, useSpan } from '../useJudged.ts'
import { Views } from '../Views.tsx'
import classes from './AccountPage.module.css'
import { AssetAccounts } from './AssetAccounts.tsx'
import { EquityCurve } from './EquityCurve.tsx'
import { AccountFigures, Luck } from './figures.tsx'
import { TradeTable } from './TradeTable.tsx'

/** The paper account: what an account would have become that followed the decisions. It is a simulation, and says so. */
export function AccountPage() {
  const span = useSpan()
  const costs = useCosts()
  const { data, error, isPlaceholderData, refetch } = useJudged(['account', costs], span, (judged) =>
    record.account({ ...judged, ...costs }),
  )
  return (
    <div className={page.page}>
      <header className={page.head}>
        <h1>Paper account</h1>
        <Views />
        <SpanChoice />
      </header>
      <Unread error={error} again={refetch} />
      {data === undefined ? (
        error === null && <Skeleton height={420} aria-label="Loading the account" aria-busy="true" />
      ) : (
        <div className={classes.account} data-old={isPlaceholderData || undefined}>
          <Whole account={data} />
          <AssetAccounts span={span} costs={costs} />
          <TradeTable account={data} />
        </div>
      )}
    </div>
  )
}

/** The account of all assets that are chosen, which share one equity. */
function Whole({ account }: { account: PaperAccount }) {
  const { simulation, assets, begins, ends, bars } = account
  return (
    <section className={`panel ${classes.whole}`} aria-label="Account">
      <p className={classes.simulation}>
        <strong>Simulation</strong> {simulation.replace(/^This is a simulation: /, '').replace(/^./, upper)}
      </p>
      {begins === null || ends === null ? (
        <p className={classes.empty}>Nothing was decided in this span.</p>
      ) : (
        <>
          <p className={classes.span}>
            {assets.length === 1 ? assets[0] : `${assets.length} assets with one equity`},{' '}
            {bars.toLocaleString('en-US')} bars from {formatBarTime(begins)} to {formatBarTime(ends)}
          </p>
          <EquityCurve account={account} />
          <AccountFigures account={account} />
          <Luck account={account} />
          <CostsChoice costs={account} />
        </>
      )}
    </section>
  )
}

function upper(letter: string): string {
  return letter.toUpperCase()
}
