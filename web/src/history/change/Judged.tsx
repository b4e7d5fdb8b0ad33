import { Button, Skeleton } from '@mantine/core'
import { Link } from 'react-router'
import { useDecision } from '../../asset/agent.ts'
import failure from '../../configuration/Failure.module.css'
import { failureWords } from '../../parts/failure.ts'
import { useCosts } from '../../signals/costs/costs.ts'
import { useChangeOutcome, useIsDeciding, useOutcome, useSpan } from '../outcomes.ts'
import { Came } from './Came.tsx'
import classes from './ChangePage.module.css'
import { ANY, nothingWords } from './nothingWords.ts'
import { Together } from './Together.tsx'

/** What came of a version for one asset. */
export function Judged({ version, asset, isMissing }: { version: number; asset: string; isMissing: boolean }) {
  const followed = useIsDeciding(asset, version)
  const found = useSpan(asset, version, { enabled: true, followed })
  const isThere = found.data !== undefined && found.data.span !== null
  const costs = useCosts()
  const { data, error, refetch } = useOutcome(asset, version, { enabled: isThere, followed, costs })
  const isEnded = useDecision(asset, ({ status }) => status === 'ended') ?? false
  if (data !== undefined) return <Came outcome={data} followed={followed} />
  // The page says that it does not exist, which is why nothing came of it.
  if (found.data !== undefined && !isThere && isMissing && found.data.nothing === null) return null
  if (found.data !== undefined && !isThere)
    return <Nothing version={version} asset={asset} words={found.data.nothing} followed={followed} isEnded={isEnded} />
  const failed = found.error ?? error
  return failed === null ? <Judging /> : <Unread error={failed} again={isThere ? refetch : found.refetch} />
}

/** What came of a version for all assets. */
export function JudgedTogether({ version, assets }: { version: number; assets: readonly string[] }) {
  const costs = useCosts()
  const { data, error, refetch } = useChangeOutcome(version, assets, { enabled: true, costs })
  if (data?.outcome != null) return <Together outcome={data.outcome} all={assets} />
  if (data !== undefined)
    return <Nothing version={version} asset={ANY} words={data.nothing} followed={false} isEnded={false} />
  return error === null ? <Judging /> : <Unread error={error} again={refetch} />
}

function Judging() {
  return (
    <div role="status" aria-busy="true" aria-label="Judging the version">
      <Skeleton height={110} mb={12} />
      <Skeleton height={280} />
    </div>
  )
}

function Unread({ error, again }: { error: Error; again: () => unknown }) {
  return (
    <div className={failure.failure} data-kind="calm" role="status">
      <strong>What came of it could not be read</strong>
      <p>{failureWords(error)}</p>
      <Button size="compact-sm" variant="default" mt={8} onClick={() => again()}>
        Try again
      </Button>
    </div>
  )
}

interface NothingProps {
  version: number
  asset: string
  /** Why nothing is recorded at all. */
  words: string | null
  followed: boolean
  /** The replay of the asset has ended: no bar will be decided any more. */
  isEnded: boolean
}

/** Nothing was recorded of it: why that may be, and what to do. */
function Nothing({ version, asset, words, followed, isEnded }: NothingProps) {
  if (words !== null)
    return <p className={classes.empty}>{words}. With a record, this page says what came of the change.</p>
  return (
    <div className={classes.empty} role="status">
      <p>
        <strong>
          No bar of {asset} was decided with version {version}
          {followed && !isEnded && ' yet'}.
        </strong>
      </p>
      <p>
        {nothingWords(asset, { isFollowed: followed, isEnded })}{' '}
        {asset === ANY ? (
          'The charts have'
        ) : (
          <>
            The chart of <Link to={`/assets/${encodeURIComponent(asset)}`}>{asset}</Link> has
          </>
        )}{' '}
        a flag where each version came into force.
      </p>
    </div>
  )
}
