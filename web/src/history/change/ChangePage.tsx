import { Button, NativeSelect, Skeleton } from '@mantine/core'
import { IconCircleCheckFilled } from '@tabler/icons-react'
import { Link, useParams, useSearchParams } from 'react-router'
import type { RevisionEntry } from 'vivienne-client'
import { useAssets } from 'vivienne-client/react'
import { useChangedAddress } from '../../app/address.ts'
import { NotFound } from '../../app/NotFound.tsx'
import failure from '../../configuration/Failure.module.css'
import { Age } from '../../parts/Age.tsx'
import { useCosts } from '../../signals/costs/costs.ts'
import { Changed } from '../Changed.tsx'
import { useIsDeciding, useOutcome, useSpan } from '../outcomes.ts'
import { useRevision } from '../useRevision.ts'
import { actionWords, channelWords, isSwitch, layerWords } from '../words.ts'
import { versionIn } from './address.ts'
import { Came } from './Came.tsx'
import classes from './ChangePage.module.css'

/** The page of a change: what it changed, and what came of it. */
export function ChangePage() {
  const version = versionIn(useParams().version)
  return version === null ? <NotFound /> : <Change key={version} version={version} />
}

function Change({ version }: { version: number }) {
  const [address] = useSearchParams()
  const assets = useAssets()
  const revision = useRevision(version)
  const given = address.get('asset')
  const asset = given ?? revision.data?.asset_symbol ?? assets[0]
  return (
    <article className={classes.page}>
      <header className={classes.head}>
        <h1>Version {version}</h1>
        {asset !== undefined && <InForce asset={asset} version={version} />}
        <Choice asset={asset} assets={assets} />
        <Link
          className={classes.back}
          to={`/history${given === null ? '' : `?${new URLSearchParams({ asset: given })}`}`}
        >
          All changes
        </Link>
      </header>
      <What version={version} entry={revision.data} error={revision.error} />
      {asset === undefined ? (
        <p className={classes.quiet}>No asset is decided yet, so nothing came of it.</p>
      ) : (
        <Judged key={asset} version={version} asset={asset} />
      )}
    </article>
  )
}

function InForce({ asset, version }: { asset: string; version: number }) {
  if (!useIsDeciding(asset, version)) return null
  return (
    <span className={classes.active}>
      <IconCircleCheckFilled size={14} aria-hidden /> in force for {asset}
    </span>
  )
}

/** Which asset is looked at. */
function Choice({ asset, assets }: { asset: string | undefined; assets: readonly string[] }) {
  const change = useChangedAddress()
  const known = asset === undefined || assets.includes(asset) ? assets : [asset, ...assets]
  if (known.length < 2) return null
  return (
    <NativeSelect
      size="xs"
      aria-label="Asset"
      data={[...known]}
      value={asset}
      onChange={(event) => change({ asset: event.currentTarget.value })}
    />
  )
}

interface WhatProps {
  version: number
  entry: RevisionEntry | undefined
  error: Error | null
}

/** What was changed, by whom and why. */
function What({ version, entry, error }: WhatProps) {
  if (version === 0) return <p className={classes.quiet}>Before the first change: every value is as Vivienne comes.</p>
  if (entry === undefined)
    return error === null ? <Skeleton height={60} /> : <p className={classes.quiet}>{error.message}</p>
  return (
    <section className={classes.what} aria-label="The change">
      <p>
        <strong>{layerWords(entry.asset_symbol)}</strong> · {actionWords(entry)} by <strong>{entry.author}</strong> ·{' '}
        {channelWords(entry.channel)} · <Age time={entry.created_at} />
      </p>
      {entry.reason === null ? (
        <p className={classes.quiet}>No reason was given.</p>
      ) : (
        <p className={classes.reason}>{entry.reason}</p>
      )}
      {!isSwitch(entry) && <Changed entry={entry} all />}
    </section>
  )
}

function Judged({ version, asset }: { version: number; asset: string }) {
  const followed = useIsDeciding(asset, version)
  const found = useSpan(asset, version, { enabled: true, followed })
  const isThere = found.data !== undefined && found.data.span !== null
  const costs = useCosts()
  const { data, error, refetch } = useOutcome(asset, version, { enabled: isThere, followed, costs })
  if (data !== undefined) return <Came outcome={data} followed={followed} />
  if (found.data !== undefined && !isThere)
    return <Nothing version={version} asset={asset} words={found.data.nothing} followed={followed} />
  const failed = found.error ?? error
  if (failed === null)
    return (
      <div role="status" aria-busy="true" aria-label="Judging the version">
        <Skeleton height={110} mb={12} />
        <Skeleton height={280} />
      </div>
    )
  return (
    <div className={failure.failure} data-kind="calm" role="status">
      <strong>What came of it could not be read</strong>
      <p>{failed.message}</p>
      <Button size="compact-sm" variant="default" mt={8} onClick={() => (isThere ? refetch() : found.refetch())}>
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
}

/** Nothing was recorded of it: why that may be, and what to do. */
function Nothing({ version, asset, words, followed }: NothingProps) {
  if (words !== null)
    return <p className={classes.empty}>{words}. With a record, this page says what came of the change.</p>
  return (
    <div className={classes.empty} role="status">
      <p>
        <strong>
          No bar of {asset} was decided with version {version}
          {followed && ' yet'}.
        </strong>
      </p>
      <p>
        {followed
          ? `The first bar of ${asset} that closes from now on is decided with it. It is judged three bars later.`
          : `It was replaced before a bar of ${asset} closed, it concerned another asset, or the bars of that time are not recorded.`}{' '}
        The chart of <Link to={`/assets/${encodeURIComponent(asset)}`}>{asset}</Link> has a flag where each version came
        into force.
      </p>
    </div>
  )
}
