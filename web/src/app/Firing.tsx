import { IconLock } from '@tabler/icons-react'
import { Link } from 'react-router'
import type { Standing } from '../overview/standing.ts'
import classes from './Firing.module.css'
import { firing, firingWords } from './firing.ts'

/** So many are named in the line; on a narrow page, fewer. */
const NAMED = 4
const NAMED_NARROW = 1

/** Which assets are at aim or bang, on every page; quiet while none is. */
export function Firing({ standings }: { standings: readonly Standing[] }) {
  const fired = firing(standings)
  if (standings.length === 0) return null
  return (
    <span className={classes.firing}>
      <span className="unseen" role="status">
        {firingWords(fired)}
      </span>
      {fired.length === 0 && (
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
