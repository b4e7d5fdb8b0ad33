import { IconLock } from '@tabler/icons-react'
import { memo } from 'react'
import { Link, useNavigate } from 'react-router'
import type { DecisionRow } from 'vivienne-client'
import { barAddress } from '../asset/address.ts'
import { formatBarTime, formatBarUtc, formatConfidence, formatPrice, formatSize } from '../parts/format.ts'
import { Level } from '../parts/Level.tsx'
import { Side } from '../parts/Side.tsx'
import { ticks } from '../parts/ticks.ts'
import { hasDecision, STATUS_WORDS } from '../parts/words.ts'
import { filterTitle } from './filterTitles.ts'
import classes from './SignalList.module.css'

/** One signal in one line; it opens the chart at its bar. */
export const SignalRow = memo(function SignalRow({ signal }: { signal: DecisionRow }) {
  const navigate = useNavigate()
  const { asset, time, status, held, side, signal_confidence: confidence, position_size: size, price } = signal
  const address = barAddress(asset, time)
  const effective = hasDecision(signal)
  return (
    // The link in it is for the keyboard; the rest of the row is a larger target for the pointer.
    <tr
      className={classes.row}
      data-level={signal.raw_clarity_level}
      data-held={held || undefined}
      onClick={(event) => event.target instanceof HTMLAnchorElement || void navigate(address)}
    >
      <td className="figure" title={formatBarUtc(time)}>
        <Link to={address} aria-label={`${asset}, ${formatBarTime(time)}`}>
          {formatBarTime(time)}
        </Link>
      </td>
      <td className={classes.asset}>{asset}</td>
      <td>
        <Level
          level={signal.clarity_level}
          raw={signal.raw_clarity_level}
          held={held}
          paused={status === 'paused'}
          size="sm"
        />
      </td>
      <td>
        <Side side={side} />
      </td>
      <td className={`figure ${classes.number}`}>{formatConfidence(confidence)}</td>
      <td className={`figure ${classes.number}`}>{formatSize(size)}</td>
      <td className={`figure ${classes.number}`}>{formatPrice(price, ticks.digits(asset))}</td>
      <td className={classes.by}>
        {held && (
          <>
            <IconLock size={13} aria-hidden /> {signal.blocked_by.map(filterTitle).join(', ')}
          </>
        )}
        {!effective && <span className={classes.status}>{STATUS_WORDS[status]}: without effect</span>}
      </td>
      <td className={`figure ${classes.number} ${classes.version}`}>{signal.config_version}</td>
    </tr>
  )
})
