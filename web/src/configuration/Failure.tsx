import { useQuery } from '@tanstack/react-query'
import { VivienneProblem } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { isOfAlert } from '../history/alertWords.ts'
import { actionWords, isSwitch, layerWords } from '../history/words.ts'
import { Age } from '../parts/Age.tsx'
import classes from './Failure.module.css'
import { titleOf, useFieldSpecs } from './fields.ts'
import { valueWords } from './reading.ts'

export interface FailureProps {
  /** Error that was thrown, or the errors of a verdict. */
  error: unknown
  layer: string | null
  /** Instead, several assets. */
  assets?: readonly string[] | undefined
  /** The version the change was to be made on top of. */
  since: number
}

/** Reason why a change was not saved, in the words of the server, with advice. */
export function Failure({ error, layer, assets, since }: FailureProps) {
  const conflict = error instanceof VivienneProblem && error.code === 'version_conflict'
  return (
    <div className={classes.failure} role="alert">
      <strong>{conflict ? 'Not saved: the configuration has changed since you read it' : 'Not saved'}</strong>
      {conflict ? (
        <>
          <NewerChanges layer={layer} assets={assets} since={since} />
          <p>The review now shows your change on top of it. If it is still right, save it again.</p>
        </>
      ) : (
        <Sentences error={error} />
      )}
      <p className={classes.kept}>Your input is kept.</p>
    </div>
  )
}

function Sentences({ error }: Pick<FailureProps, 'error'>) {
  const specs = useFieldSpecs()
  const errors = (error as { errors?: { path: string; message: string }[] }).errors ?? []
  if (errors.length === 0) return <p>{error instanceof Error ? error.message : 'The server gave no reason.'}</p>
  return (
    <ul>
      {errors.map(({ path, message }) => (
        <li key={`${path} ${message}`}>
          {message}
          {path !== '' && !specs.has(path) && <span className={classes.path}> ({path})</span>}
        </li>
      ))}
    </ul>
  )
}

/** Changes that came into force since the version the change was based on. */
export function NewerChanges({ layer, assets, since }: Omit<FailureProps, 'error'>) {
  const client = useVivienneClient()
  const specs = useFieldSpecs()
  const { data } = useQuery({
    queryKey: ['newer changes', layer, assets, since],
    queryFn: ({ signal }) => client.rest.history({ asset: assets ? null : layer, limit: 10, signal }),
    gcTime: 0,
  })
  const newer = data?.history.filter(
    ({ version, asset_symbol: asset, action }) =>
      version > since &&
      !isOfAlert({ action }) &&
      (asset === null || (assets === undefined ? layer !== null : assets.includes(asset))),
  )
  return (
    <ul>
      {newer?.map((entry) => (
        <li key={entry.version}>
          Version {entry.version}
          {assets !== undefined && ` of ${layerWords(entry.asset_symbol)}`} by {entry.author},{' '}
          <Age time={entry.created_at} />
          {entry.reason !== null && ` (${entry.reason})`}:{' '}
          {entry.changed
            .map(({ path, ...sides }) => {
              const spec = specs.get(path)
              return `${titleOf(specs, path)} ${valueWords(spec, sides.old)} to ${valueWords(spec, sides.new)}`
            })
            .join('; ') || (isSwitch(entry) ? actionWords(entry) : 'no value changed')}
        </li>
      ))}
    </ul>
  )
}
