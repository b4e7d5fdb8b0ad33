import { TextInput } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useChangedAddress } from '../app/address.ts'
import classes from './Days.module.css'

/** Two days of the calendar, in the address; either may be missing. */
export function Days() {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const given = (name: 'since' | 'until') => ({
    value: address.get(name) ?? '',
    onChange: (event: { currentTarget: { value: string } }) => change({ [name]: event.currentTarget.value }),
  })
  return (
    <span className={classes.days}>
      <TextInput size="xs" type="date" aria-label="From this day on" {...given('since')} />
      <span aria-hidden>to</span>
      <TextInput size="xs" type="date" aria-label="Up to this day" {...given('until')} />
    </span>
  )
}
