import { SegmentedControl } from '@mantine/core'
import { RANGES, type Range } from './address.ts'
import classes from './RangeButtons.module.css'

/** Number of bars shown. */
export function RangeButtons({ range, onRange }: { range: number; onRange: (range: Range) => void }) {
  return (
    <div className={classes.range}>
      <span className={classes.word} aria-hidden>
        Bars
      </span>
      <SegmentedControl
        size="xs"
        aria-label="Bars shown"
        value={String(range)}
        data={RANGES.map(String)}
        onChange={(value) => onRange(Number(value) as Range)}
      />
    </div>
  )
}
