import { Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { changeAddress } from '../../history/change/address.ts'
import { actionWords, isSwitch } from '../../history/words.ts'
import { Age } from '../../parts/Age.tsx'
import { formatBarTime, formatValue } from '../../parts/format.ts'
import { historyQuery } from '../../queries.ts'
import { fieldWords } from '../fieldWords.ts'
import classes from './RevisionCard.module.css'

/** At most so many of the changed values are listed; the history has all. */
const MOST = 8

/** Changes of a version, with author and reason. */
export function RevisionCard({ asset, version, time }: { asset: string; version: number; time: string }) {
  const { data, error } = useQuery({ ...historyQuery(undefined, 1, version + 1), staleTime: Number.POSITIVE_INFINITY })
  const revision = data?.history.find((entry) => entry.version === version)
  return (
    <article className={classes.card} aria-label={`Version ${version}`}>
      <p>
        <strong>v{version}</strong> <small>in force at {formatBarTime(time)} market time</small>
      </p>
      {error !== null && <p>{error.message}</p>}
      {!data && !error && <Loader size="xs" />}
      {data && !revision && <p>It is no longer in the history.</p>}
      {revision && (
        <>
          <p>
            {revision.asset_symbol ?? 'all assets'}
            {isSwitch(revision) && <strong> {actionWords(revision)}</strong>} · {revision.author} ·{' '}
            <Age time={revision.created_at} />
          </p>
          {revision.reason && <p className={classes.reason}>“{revision.reason}”</p>}
          <ul>
            {revision.changed.slice(0, MOST).map(({ path, old, new: now }) => (
              <li key={path}>
                <span title={path}>{fieldWords(path)}</span>
                <span className="figure">
                  {formatValue(old)} → <strong>{formatValue(now)}</strong>
                </span>
              </li>
            ))}
          </ul>
          {revision.changed.length > MOST && <p>and {revision.changed.length - MOST} more</p>}
          {revision.changed.length === 0 && !isSwitch(revision) && <p>no value in force changed</p>}
        </>
      )}
      <p>
        <Link to={changeAddress(version, asset)}>What came of it</Link>
      </p>
    </article>
  )
}
