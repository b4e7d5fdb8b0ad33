import { SegmentedControl } from '@mantine/core'
import { RANGES, type Range } from '../address.ts'

/** How many bars are shown. The one in force, pressed again, brings them all back into sight. */
export function RangeButtons({ range, onRange }: { range: number; onRange: (range: Range) => void }) {
  return (
    <SegmentedControl
      size="xs"
      aria-label="Bars shown"
      value={String(range)}
      data={RANGES.map((bars) => ({ value: String(bars), label: `${bars} bars` }))}
      onChange={(value) => onRange(Number(value) as Range)}
    />
  )
}
