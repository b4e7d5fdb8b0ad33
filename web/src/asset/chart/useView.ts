import { type RefObject, useEffect, useRef } from 'react'
import { viewOf, viewText } from './address.ts'
import type { View } from './ChartView.ts'
import type { PriceChart } from './PriceChart.ts'

/** The address follows when the movement has ended. */
const WRITE_AFTER = 300
/** So long after a wheel, a finger or a key, a movement of the chart is that of the person. */
const GESTURE = 1_000

/**
 * Shows the part of the bars that the address names, and tells of every other part that a person moves to.
 *
 * @param ready true once the bars are those of the range
 * @param timeframe of the bars; with another one the view is shown again
 * @param wanted the part that is named, or the whole range
 * @param onView is told the part in sight; null for the whole range
 * @param onNewest is told when the newest bars are to be shown after another part
 */
export function useView(
  chart: PriceChart | null,
  stage: RefObject<HTMLElement | null>,
  ready: boolean,
  timeframe: string | undefined,
  range: number,
  wanted: View | null,
  onView: (view: View | null) => void,
  onNewest: () => void,
): void {
  const whole = viewText({ bars: range, end: null })
  const text = wanted === null ? whole : viewText(wanted)
  const shown = useRef<{ chart: PriceChart; text: string; timeframe: string | undefined } | null>(null)
  const tell = useRef(onView)
  const toNewest = useRef(onNewest)
  /** True if the address names a part. */
  const named = useRef(false)
  useEffect(() => {
    tell.current = onView
    toNewest.current = onNewest
    named.current = wanted !== null
  })

  useEffect(() => {
    const before = shown.current
    if (chart === null || !ready) return
    if (before?.chart === chart && before.text === text && before.timeframe === timeframe) return
    shown.current = { chart, text, timeframe }
    const view = viewOf(text)
    if (view === null) return
    if (view.end === null && before?.chart === chart) toNewest.current()
    chart.show(view)
  }, [chart, ready, text, timeframe])

  useEffect(() => {
    const element = stage.current
    if (chart === null || element === null) return
    let gesture = Number.NEGATIVE_INFINITY
    let timer: ReturnType<typeof setTimeout> | undefined
    const touched = (event: Event) => {
      if (!(event instanceof PointerEvent) || event.type !== 'pointermove' || event.buttons !== 0)
        gesture = performance.now()
    }
    const moved = () => {
      const view = chart.view.keep()
      if (view === null || shown.current === null) return
      const now = viewText(view)
      if (now === shown.current.text) return
      const all = view.end === null && view.bars >= Math.min(range, chart.bars().length)
      shown.current = { ...shown.current, text: all ? whole : now }
      if (!all || named.current) tell.current(all ? null : view)
    }
    const leave = chart.onView(() => {
      if (performance.now() - gesture > GESTURE) return
      clearTimeout(timer)
      timer = setTimeout(moved, WRITE_AFTER)
    })
    for (const type of GESTURES) element.addEventListener(type, touched, { passive: true, capture: true })
    return () => {
      leave()
      clearTimeout(timer)
      for (const type of GESTURES) element.removeEventListener(type, touched, { capture: true })
    }
  }, [chart, stage, range, whole])
}

const GESTURES = ['wheel', 'pointerdown', 'pointerup', 'touchmove', 'pointermove', 'keydown', 'click', 'dblclick']
