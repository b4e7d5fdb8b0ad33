import { VisuallyHidden } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import classes from './Differences.module.css'
import { titleOf, useFieldSpecs, useTimeframe } from './fields.ts'
import { type Keeper, useAssetValues } from './keepers.ts'
import type { Proposal } from './proposal.ts'
import { unitWords, valueWords } from './reading.ts'

/** From what to what, value by value; for the global layer with the assets that keep a value of their own. */
export function Differences({ proposal }: { proposal: Proposal }) {
  const specs = useFieldSpecs()
  const timeframe = useTimeframe(proposal.layer)
  const isForAll = proposal.layer === null && proposal.assets === undefined
  const values = useAssetValues(proposal.version, isForAll || proposal.assets !== undefined)
  if (proposal.differences.length === 0) return null
  return (
    <table className={classes.table}>
      <thead className={classes.head}>
        <tr>
          <th scope="col">Value</th>
          <th scope="col">Now</th>
          <th scope="col">
            <VisuallyHidden>becomes</VisuallyHidden>
          </th>
          <th scope="col">Then</th>
        </tr>
      </thead>
      <tbody>
        {proposal.differences.map((difference) => {
          const spec = specs.get(difference.path)
          return (
            <tr key={difference.path}>
              <th scope="row">
                {titleOf(specs, difference.path)}
                <span className={classes.path}>
                  {[difference.path, spec && unitWords(spec)].filter(Boolean).join(' · ')}
                </span>
                {isForAll && <Keepers keepers={values.kept(difference.path)} verb="keeps" />}
                {proposal.assets !== undefined && (
                  <Keepers keepers={values.others(difference.path, proposal.assets, difference.old)} verb="has now" />
                )}
              </th>
              <td className={`${classes.old} figure`}>{valueWords(spec, difference.old, timeframe)}</td>
              <td className={classes.arrow}>
                <IconArrowRight size={14} aria-hidden />
              </td>
              <td className={`${classes.new} figure`}>{valueWords(spec, difference.new, timeframe)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

/** Assets with another value: one they keep, or one that the change replaces. */
function Keepers({ keepers, verb }: { keepers: readonly Keeper[]; verb: string }) {
  if (keepers.length === 0) return null
  const named = keepers.slice(0, 4).map(({ asset, value }) => `${asset} ${verb} ${valueWords(undefined, value)}`)
  const more = keepers.length - named.length
  return (
    <span className={classes.keepers}>
      {named.join(', ')}
      {more > 0 && ` and ${more} more another value`}
    </span>
  )
}
