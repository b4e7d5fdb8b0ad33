import { useEffect, useRef } from 'react'
import type { Chart } from 'vivienne-client'
import { barLength } from './bars.ts'
import type { PriceChart } from './PriceChart.ts'

/**
 * Marks the bar that is chosen, brings it into sight once, and tells when a person chooses another one.
 *
 * @param ready true once the bar is among the data, if it can be had
 * @param placed true if the address says what is in sight: then a bar that is named beside it moves nothing
 * @param bar a moment within the bar, as ISO 8601; null for none
 * @param onBar null while clicks mean something else
 */
export function useChosenBar(
  chart: PriceChart | null,
  data: Chart | undefined,
  ready: boolean,
  placed: boolean,
  bar: string | null,
  onBar: ((time: string) => void) | null,
): void {
  const tell = useRef(onBar)
  useEffect(() => {
    tell.current = onBar
  })
  useEffect(() => chart?.onChosen(({ time }) => tell.current?.(time)), [chart])

  const length = data === undefined ? null : barLength(data.timeframe)
  const opened = bar === null || length === null ? null : Math.floor(Date.parse(bar) / length) * length
  useEffect(() => chart?.choose(opened === null ? null : new Date(opened).toISOString()), [chart, opened])
  const revealed = useRef<number | null>(null)
  const drawn = useRef<PriceChart | null>(null)
  useEffect(() => {
    if (chart === null || !ready || (bar !== null && opened === null)) return
    const arrived = drawn.current !== chart
    drawn.current = chart
    if (arrived) revealed.current = placed ? opened : null
    if (opened === null) revealed.current = null
    else if (data !== undefined && revealed.current !== opened && chart.reveal(new Date(opened).toISOString())) {
      revealed.current = opened
    }
  }, [chart, bar, opened, data, ready, placed])
}
