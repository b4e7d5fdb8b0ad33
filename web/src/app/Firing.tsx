import { IconLock } from '@tabler/icons-react'
import { Link } from 'react-router'
import { useFiring } from '../overview/standings.ts'
import classes from './Firing.module.css'
import { firingWords } from './firing.ts'

/** So many are named in the line; on a narrow page, fewer. */
const NAMED = 4
const NAMED_NARROW = 1

/**
 * Which assets are at aim or bang, on every page; quiet while none is.
 *
 * @param decided - one is decided now: else there is nothing to be said of levels, which are those of old data
 */
export function Firing({ decided }: { decided: boolean }) {
  const fired = useFiring()
  return (
    <span className={classes.firing}>
      <span className="unseen" role="status">
        {decided && firingWords(fired)}
      </span>
      {decided && fired.length === 0 && (
        <span className={classes.none} aria-hidden>
          none at aim or bang
        </span>
      )}
      {fired.slice(0, NAMED).map(({ asset, level, held }, place) => (
        <Link
          key={asset}
          to={`/assets/${encodeURIComponent(asset)}`}
          className={classes.one ?? ''}
          data-level={level}
          data-held={held || undefined}
          data-wide={place >= NAMED_NARROW || undefined}
        >
          {asset} <span className={classes.level}>{level}</span>
          {held && <IconLock size="1em" aria-label="held" />}
        </Link>
      ))}
      <More number={fired.length - NAMED} />
      <More number={fired.length - NAMED_NARROW} narrow />
    </span>
  )
}

function More({ number, narrow = false }: { number: number; narrow?: boolean }) {
  if (number <= 0) return null
  return (
    <Link
      to="/"
      className={classes.more ?? ''}
      data-narrow={narrow || undefined}
      aria-label={`${number} more at aim or bang`}
    >
      +{number}
    </Link>
  )
}
