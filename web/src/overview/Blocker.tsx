import { IconLock } from '@tabler/icons-react'
import { memo } from 'react'
import { Link } from 'react-router'
import classes from './Blocker.module.css'

interface BlockerProps {
  asset: string
  /** Title of the filter. */
  filter: string
  /** Number of filters block. */
  count: number
  field: string | null
  message: string | null
  /** True if there is an entry it keeps from being made. */
  held: boolean
  /** Show the message as well. */
  wordy?: boolean
}

/** The filter that holds an entry back; leads to the value that would let it go. */
export const Blocker = memo(function Blocker(props: BlockerProps) {
  const { asset, filter, count, field, message, held, wordy = false } = props
  const others = count > 1 ? `+${count - 1}` : ''
  return (
    <Link
      to={fieldAddress(asset, field)}
      className={classes.blocker ?? ''}
      data-held={held || undefined}
      data-wordy={wordy || undefined}
      title={`${filter} filter: ${message}${count > 1 ? ` (and ${count - 1} more)` : ''}\nOpens its threshold`}
    >
      <IconLock size={13} aria-hidden />
      <span className={classes.name}>{wordy && message !== null ? message : filter}</span>
      {others !== '' && <span className={classes.others}>{others}</span>}
    </Link>
  )
})

/** Address of the field for a value of an asset. */
export function fieldAddress(asset: string, field: string | null): string {
  const query = new URLSearchParams({ panel: 'configuration', ...(field === null ? {} : { field }) })
  return `/assets/${encodeURIComponent(asset)}?${query}`
}
