import { memo } from 'react'
import classes from './Sparkline.module.css'
import { sparklinePath } from './sparkline.ts'

const WIDTH = 200
const HEIGHT = 40

/** The way of the last closes; it says nothing that the figures beside it do not, so it is left out for screen readers. */
export const Sparkline = memo(function Sparkline({ closes }: { closes: readonly number[] }) {
  return (
    <svg
      className={classes.sparkline}
      viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path d={sparklinePath(closes, WIDTH, HEIGHT)} />
    </svg>
  )
})
