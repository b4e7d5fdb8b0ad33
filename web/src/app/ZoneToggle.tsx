import { UnstyledButton } from '@mantine/core'
import { setZone, useZone, zoneName } from '../parts/zone.ts'
import classes from './ZoneToggle.module.css'

/** Times in the zone of the viewer or in UTC, on every page. */
export function ZoneToggle() {
  const zone = useZone()
  const other = zone === 'utc' ? 'local' : 'utc'
  const label = `Times are in ${zoneName(zone)}; switch to ${zoneName(other)}`
  return (
    <UnstyledButton className={classes.zone} aria-label={label} title={label} onClick={() => setZone(other)}>
      {zone === 'utc' ? 'UTC' : 'Local'}
    </UnstyledButton>
  )
}
