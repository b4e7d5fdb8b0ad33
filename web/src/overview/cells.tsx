import { memo } from 'react'
import { Link } from 'react-router'
import { DataAge } from '../parts/DataAge.tsx'
import { Flash } from '../parts/Flash.tsx'
import { formatSize } from '../parts/format.ts'
import { Level } from '../parts/Level.tsx'
import { Side } from '../parts/Side.tsx'
import { FEED_WORDS, isTroubled, STATUS_WORDS } from '../parts/words.ts'
import classes from './cells.module.css'
import type { AssetView } from './view.ts'

/**
 * Parts of rows and cards. Each takes plain values and renders only when one of them is another one: most messages
 * change the price and nothing else.
 */

/** Name of the asset; the whole row or card links to the asset. */
export const AssetLink = memo(function AssetLink({
  asset,
  className,
}: {
  asset: string
  className: string | undefined
}) {
  return (
    <Link
      to={`/assets/${encodeURIComponent(asset)}`}
      className={`${classes.link} ${className}`}
      title={asset}
      data-asset-link
    >
      {asset}
    </Link>
  )
})

/** The level; a change of it tints. */
export const LevelNow = memo(function LevelNow(
  props: Pick<AssetView, 'level' | 'raw' | 'held'> & { paused: boolean; size: 'sm' | 'xl' },
) {
  const { level, raw, held, paused, size } = props
  return (
    <Flash value={`${level} ${raw} ${held} ${paused}`}>
      <Level level={level} raw={raw} held={held} paused={paused} size={size} />
    </Flash>
  )
})

/** Side and size: what would be entered. */
export const Entry = memo(function Entry({ side, size }: Pick<AssetView, 'side' | 'size'>) {
  if (side === 'none') return <span className={classes.none}>-</span>
  return (
    <>
      <Side side={side} /> <span className="figure">{formatSize(size)}</span>
    </>
  )
})

/** Age of the data, and its status unless it is live. */
export const Freshness = memo(function Freshness(
  props: Pick<AssetView, 'status' | 'statusReason' | 'feedStatus' | 'feedReason' | 'second' | 'limit'>,
) {
  const { status, statusReason, feedStatus, feedReason, second, limit } = props
  return (
    <>
      {/* A pause stands beside the level. */}
      {status !== 'live' && status !== 'paused' && (
        <strong className={classes.status} title={statusReason ?? undefined}>
          {STATUS_WORDS[status]}
        </strong>
      )}{' '}
      {isTroubled(feedStatus) && (
        <strong className={classes.status} title={feedReason ?? undefined}>
          {FEED_WORDS[feedStatus]}
        </strong>
      )}{' '}
      <DataAge second={second} limit={limit} />
    </>
  )
})
