import { DayField } from '../parts/DayField.tsx'
import classes from './Days.module.css'

/** Two days of the calendar, in the address; either may be missing. */
export function Days() {
  return (
    <span className={classes.days}>
      <DayField name="since" label="From this day on" />
      <span aria-hidden>to</span>
      <DayField name="until" label="Up to this day" />
    </span>
  )
}
