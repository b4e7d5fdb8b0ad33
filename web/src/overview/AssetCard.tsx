import { memo } from 'react'
import { Link } from 'react-router'
import { hasDecision } from '../parts/words.ts'
import classes from './AssetCard.module.css'
import { Blocker, fieldAddress } from './Blocker.tsx'
import { Confidence } from './Confidence.tsx'
import { AssetLink, Entry, Freshness, LevelNow } from './cells.tsx'
import { Change, Price } from './figures.tsx'
import { Sparkline } from './Sparkline.tsx'
import { type AssetView, reasonOf, useAssetView } from './view.ts'

const NO_CLOSES: readonly number[] = []

interface AssetCardProps {
  asset: string
  closes?: readonly number[] | undefined
  /** The time the sparkline covers, in words. */
  span: string
}

/** One asset with room to spare, for who watches a few. */
export const AssetCard = memo(function AssetCard({ asset, closes = NO_CLOSES, span }: AssetCardProps) {
  const view = useAssetView(asset)
  if (view === undefined) return null
  const [first] = closes
  const level = view.held ? view.raw : view.level
  const old = view.status === 'stale' || undefined
  return (
    <li
      className={`panel tinted ${classes.card}`}
      data-level={level}
      data-held={view.held || undefined}
      data-paused={view.status === 'paused' || undefined}
    >
      <header className={classes.head}>
        <h2 className={classes.name}>
          <AssetLink asset={asset} className={classes.link} />
        </h2>
        <span className={`${classes.level} fresh`} data-stale={old}>
          <LevelNow level={view.level} raw={view.raw} held={view.held} paused={view.status === 'paused'} size="xl" />
        </span>
      </header>
      <p className={`${classes.figures} fresh`} data-stale={old}>
        <span className={classes.price}>
          <Price asset={asset} price={view.price} />
        </span>
        <span className={classes.change}>
          <Change price={view.price} first={first} /> {first !== undefined && <small>in {span}</small>}
        </span>
        <span className={classes.entry}>
          <Entry side={view.side} size={view.size} />
        </span>
      </p>
      <div className={`${classes.sparkline} fresh`} data-stale={old}>
        <Sparkline closes={closes} />
      </div>
      <div className={`${classes.confidence} fresh`} data-stale={old}>
        {hasDecision(view) ? (
          <Confidence
            confidence={view.confidence}
            loaded={view.loaded}
            aim={view.aim}
            bang={view.bang}
            nearest={view.nearestThreshold}
            level={level}
            held={view.held}
            labelled
          />
        ) : (
          <p className={classes.reason} title={reasonOf(view)}>
            {reasonOf(view)}
          </p>
        )}
      </div>
      <Why asset={asset} view={view} />
      <p className={classes.age}>
        <Freshness
          status={view.status}
          statusReason={view.statusReason}
          feedStatus={view.feedStatus}
          feedReason={view.feedReason}
          second={view.second}
          limit={view.limit}
        />
      </p>
    </li>
  )
})

/** The filter that blocks, and the nearest change; both link to the value. */
function Why({ asset, view }: { asset: string; view: AssetView }) {
  return (
    <div className={classes.why}>
      <div>
        {view.blocker !== null && (
          <Blocker
            asset={asset}
            filter={view.blocker}
            count={view.blockers}
            field={view.blockerField}
            message={view.blockerMessage}
            held={view.held}
            wordy
          />
        )}
      </div>
      <p className={classes.nearest}>
        {view.nearestMessage !== null && (
          <>
            Nearest change:{' '}
            <Link
              to={fieldAddress(asset, view.nearestField)}
              className={classes.nearestLink ?? ''}
              title="Opens this value"
            >
              {view.nearestMessage}
            </Link>
          </>
        )}
      </p>
    </div>
  )
}
