import { memo } from 'react'
import { hasDecision } from '../parts/words.ts'
import classes from './AssetRow.module.css'
import { Blocker } from './Blocker.tsx'
import { Confidence } from './Confidence.tsx'
import { AssetLink, Entry, Freshness, LevelNow } from './cells.tsx'
import { Change, Price } from './figures.tsx'
import { Sparkline } from './Sparkline.tsx'
import { CELL, ROW, ROW_HEADER } from './table.ts'
import { type AssetView, reasonOf, useAssetView } from './view.ts'

const NO_CLOSES: readonly number[] = []

interface AssetRowProps {
  asset: string
  closes?: readonly number[] | undefined
}

/** One asset in one line. */
export const AssetRow = memo(function AssetRow({ asset, closes = NO_CLOSES }: AssetRowProps) {
  const view = useAssetView(asset)
  if (view === undefined) return null
  const [first] = closes
  return (
    <tr
      {...ROW}
      className={`${classes.row} tinted`}
      data-level={view.held ? view.raw : view.level}
      data-held={view.held || undefined}
      data-paused={view.status === 'paused' || undefined}
      data-undecided={!hasDecision(view) || undefined}
    >
      <th {...ROW_HEADER} className={classes.asset}>
        <AssetLink asset={asset} className={classes.link} />
      </th>
      <td {...CELL} className={`${classes.level} fresh`} data-stale={stale(view)}>
        <LevelNow level={view.level} raw={view.raw} held={view.held} paused={view.status === 'paused'} size="sm" />
      </td>
      <td {...CELL} className={`${classes.confidence} fresh`} data-stale={stale(view)}>
        {hasDecision(view) ? (
          <Confidence
            confidence={view.confidence}
            loaded={view.loaded}
            aim={view.aim}
            bang={view.bang}
            nearest={view.nearestThreshold}
            level={view.held ? view.raw : view.level}
            held={view.held}
          />
        ) : (
          <span className={classes.reason} title={view.statusReason ?? undefined}>
            {view.status === 'paused' ? view.pause : reasonOf(view)}
          </span>
        )}
      </td>
      <td {...CELL} className={`${classes.entry} fresh`} data-stale={stale(view)}>
        <Entry side={view.side} size={view.size} />
      </td>
      <td {...CELL} className={`${classes.price} fresh`} data-stale={stale(view)}>
        <Price asset={asset} price={view.price} />
      </td>
      <td {...CELL} className={`${classes.change} fresh`} data-stale={stale(view)}>
        <Change price={view.price} first={first} />
      </td>
      <td {...CELL} className={`${classes.sparkline} fresh`} data-stale={stale(view)}>
        <Sparkline closes={closes} />
      </td>
      <td {...CELL} className={`${classes.blocker} fresh`} data-stale={stale(view)}>
        {view.blocker !== null && (
          <Blocker
            asset={asset}
            filter={view.blocker}
            count={view.blockers}
            field={view.blockerField}
            message={view.blockerMessage}
            held={view.held}
          />
        )}
      </td>
      <td {...CELL} className={classes.age} data-status={view.status}>
        <Freshness
          status={view.status}
          statusReason={view.statusReason}
          feedStatus={view.feedStatus}
          feedReason={view.feedReason}
          second={view.second}
          limit={view.limit}
        />
      </td>
    </tr>
  )
})

function stale({ status }: AssetView): true | undefined {
  return status === 'stale' || undefined
}
