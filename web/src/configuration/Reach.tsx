import type { Verdict } from 'vivienne-client'
import { useAssets } from 'vivienne-client/react'
import { count } from './plural.ts'
import type { Proposal } from './proposal.ts'
import classes from './Review.module.css'

interface ReachProps {
  proposal: Proposal
  verdict: Verdict | undefined
  failed: boolean
}

/** Assets that a change affects, and those it does not because they set the values themselves. */
export function Reach({ proposal, verdict, failed }: ReachProps) {
  const assets = useAssets()
  if (proposal.assets !== undefined) return null
  if (proposal.layer !== null) {
    return (
      <p className={classes.reach}>
        For <strong>{proposal.layer}</strong> alone.
      </p>
    )
  }
  if (failed) return <p className={classes.reach}>For all assets without values of their own.</p>
  if (verdict?.assets === undefined) return <p className={classes.reach}>For all assets.</p>
  const reached = new Set(verdict.assets)
  const others = assets.filter((asset) => !reached.has(asset))
  return (
    <p className={classes.reach}>
      {reached.size === 0 ? (
        <strong>Affects no asset</strong>
      ) : (
        <>
          Affects {others.length > 0 && assets.length > 10 && `${reached.size} of ${assets.length} assets: `}
          <strong>{others.length === 0 ? `all ${count(reached.size, 'asset')}` : names([...reached])}</strong>
        </>
      )}
      .{' '}
      {others.length > 0 && (
        <>
          Does not affect <strong>{names(others)}</strong>: {others.length === 1 ? 'it sets' : 'they set'} these values
          {others.length === 1 ? ' itself' : ' themselves'}.
        </>
      )}
    </p>
  )
}

function names(assets: readonly string[]): string {
  const shown = assets.slice(0, 10).join(', ')
  return assets.length > 10 ? `${shown} and ${assets.length - 10} more` : shown
}
