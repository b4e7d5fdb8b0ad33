import { NativeSelect, Skeleton } from '@mantine/core'
import { IconCircleCheckFilled } from '@tabler/icons-react'
import { Link, useParams, useSearchParams } from 'react-router'
import type { RevisionEntry } from 'vivienne-client'
import { useAssets } from 'vivienne-client/react'
import { useChangedAddress } from '../../app/address.ts'
import { NotFound } from '../../app/NotFound.tsx'
import { Age } from '../../parts/Age.tsx'
import { failureWords } from '../../parts/failure.ts'
import { AlertChanged, AlertDone } from '../AlertChanged.tsx'
import { isOfAlert } from '../alertWords.ts'
import { Changed } from '../Changed.tsx'
import { useIsDeciding } from '../outcomes.ts'
import { MissingVersion, useRevision } from '../useRevision.ts'
import { actionWords, channelWords, isSwitch, layerWords } from '../words.ts'
import { versionIn } from './address.ts'
import classes from './ChangePage.module.css'
import { Judged, JudgedTogether } from './Judged.tsx'

/** The page of a change: what it changed, and what came of it. */
export function ChangePage() {
  const version = versionIn(useParams().version)
  return version === null ? <NotFound /> : <Change key={version} version={version} />
}

function Change({ version }: { version: number }) {
  const [address] = useSearchParams()
  const assets = useAssets()
  const revision = useRevision(version)
  const isRule = revision.data !== undefined && isOfAlert(revision.data)
  const isMissing = revision.error instanceof MissingVersion
  const given = address.get('asset')
  // A change of all assets is judged over all of them, unless the address names one.
  const isOfAll = revision.data?.asset_symbol === null && assets.length > 1
  const isKnown = given !== null || version === 0 || revision.data !== undefined || revision.error !== null
  const asset = given ?? (isOfAll ? undefined : (revision.data?.asset_symbol ?? assets[0]))
  return (
    <article className={classes.page}>
      <header className={classes.head}>
        <h1>Version {version}</h1>
        {asset !== undefined && !isRule && <InForce asset={asset} version={version} />}
        {!isMissing && !isRule && <Choice asset={asset} assets={assets} all={isOfAll} />}
        <Link
          className={classes.back}
          to={`/history${given === null ? '' : `?${new URLSearchParams({ asset: given })}`}`}
        >
          All changes
        </Link>
      </header>
      <What version={version} entry={revision.data} error={revision.error} />
      {isKnown && !isRule && <Came version={version} asset={asset} assets={assets} isMissing={isMissing} />}
    </article>
  )
}

interface CameProps {
  version: number
  /** The only one that is looked at; undefined for all. */
  asset: string | undefined
  assets: readonly string[]
  /** The history knows no such version. */
  isMissing: boolean
}

function Came({ version, asset, assets, isMissing }: CameProps) {
  if (asset !== undefined) return <Judged key={asset} version={version} asset={asset} isMissing={isMissing} />
  if (assets.length > 0) return <JudgedTogether version={version} assets={assets} />
  if (isMissing) return null
  return <p className={classes.quiet}>No asset is decided yet, so nothing came of it.</p>
}

function InForce({ asset, version }: { asset: string; version: number }) {
  if (!useIsDeciding(asset, version)) return null
  return (
    <span className={classes.active}>
      <IconCircleCheckFilled size={14} aria-hidden /> in force for {asset}
    </span>
  )
}

interface ChoiceProps {
  asset: string | undefined
  assets: readonly string[]
  /** Whether all of them may be looked at together. */
  all: boolean
}

/** Which asset is looked at, or all. */
function Choice({ asset, assets, all }: ChoiceProps) {
  const change = useChangedAddress()
  const known = asset === undefined || assets.includes(asset) ? assets : [asset, ...assets]
  if (known.length < 2) return null
  return (
    <NativeSelect
      size="xs"
      aria-label="Asset"
      data={[...(all ? [{ value: '', label: 'All assets' }] : []), ...known]}
      value={asset ?? ''}
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
    return error === null ? <Skeleton height={60} /> : <p className={classes.quiet}>{failureWords(error)}</p>
  return (
    <section className={classes.what} aria-label="The change">
      <p>
        {isOfAlert(entry) ? (
          <AlertDone entry={entry} />
        ) : (
          <>
            <strong>{layerWords(entry.asset_symbol)}</strong> · {actionWords(entry)}
          </>
        )}{' '}
        by <strong>{entry.author}</strong> · {channelWords(entry.channel)} · <Age time={entry.created_at} />
      </p>
      {entry.reason === null ? (
        <p className={classes.quiet}>No reason was given.</p>
      ) : (
        <p className={classes.reason}>{entry.reason}</p>
      )}
      {isOfAlert(entry) ? <AlertChanged entry={entry} /> : !isSwitch(entry) && <Changed entry={entry} all />}
    </section>
  )
}
