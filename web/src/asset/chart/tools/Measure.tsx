import { type PointerEvent as ReactPointerEvent, type RefObject, useEffect, useRef, useState } from 'react'
import { spanWords } from '../../../overview/span.ts'
import { formatChange, formatPrice } from '../../../parts/format.ts'
import type { PriceChart, Spot } from '../PriceChart.ts'
import classes from './Measure.module.css'

/** Way of measuring: with a pointer, with the crosshair and the keys, or not. */
export type Measuring = 'pointer' | 'keys' | null

interface MeasureProps {
  chart: PriceChart
  stage: RefObject<HTMLElement | null>
  /** Timeframe of the bars drawn. */
  timeframe: string
  /** Digits after the point in the prices. */
  digits: number
  measuring: Measuring
  onEnd: () => void
}

interface Measured {
  readonly from: Spot
  readonly to: Spot
}

/** Measures from one point of the chart to another: bars, time, difference of the price, percent. */
export function Measure({ chart, stage, timeframe, digits, measuring, onEnd }: MeasureProps) {
  const [measured, setMeasured] = useState<Measured | null>(null)
  const dragging = useRef(false)
  const ground = useRef<HTMLDivElement>(null)

  const spot = ({ clientX, clientY }: { clientX: number; clientY: number }): Spot | null => {
    const box = ground.current?.getBoundingClientRect()
    return box === undefined ? null : chart.spotAt(clientX - box.left, clientY - box.top)
  }
  const begin = (event: PointerEvent | ReactPointerEvent) => {
    const from = spot(event)
    if (from === null || event.button !== 0) return
    // Otherwise the chart would be dragged along.
    event.preventDefault()
    event.stopPropagation()
    ground.current?.setPointerCapture(event.pointerId)
    dragging.current = true
    setMeasured({ from, to: from })
  }
  const latest = useRef(begin)
  useEffect(() => {
    latest.current = begin
  })

  // With Shift, no tool has to be chosen first. The next press, or Escape, takes the measure away.
  useEffect(() => {
    const element = stage.current
    if (element === null) return
    const typed = ({ key }: KeyboardEvent) => key === 'Escape' && setMeasured(null)
    const pressed = (event: PointerEvent) => {
      if (event.target instanceof Element && event.target.closest('button, a') !== null) return
      if (event.shiftKey) latest.current(event)
      else if (!dragging.current) setMeasured(null)
    }
    element.addEventListener('pointerdown', pressed, { capture: true })
    element.addEventListener('keydown', typed)
    return () => {
      element.removeEventListener('pointerdown', pressed, { capture: true })
      element.removeEventListener('keydown', typed)
    }
  }, [stage])

  useKeys(chart, measuring === 'keys', setMeasured)

  return (
    <div
      ref={ground}
      className={classes.ground}
      data-active={measuring === 'pointer' || undefined}
      onPointerDown={begin}
      onPointerMove={(event) => {
        const to = dragging.current ? spot(event) : null
        if (to !== null) setMeasured((before) => before && { ...before, to })
      }}
      onPointerUp={() => {
        dragging.current = false
        if (measuring === 'pointer') onEnd()
      }}
      onPointerCancel={() => {
        dragging.current = false
      }}
    >
      {measured !== null && <Box chart={chart} measured={measured} timeframe={timeframe} digits={digits} />}
    </div>
  )
}

interface BoxProps extends Pick<MeasureProps, 'chart' | 'timeframe' | 'digits'> {
  measured: Measured
}

/** From the bar under the crosshair to the one it is moved to. */
function useKeys(chart: PriceChart, on: boolean, setMeasured: (measured: Measured) => void): void {
  useEffect(() => {
    if (!on) return
    const here = (): Spot | null => {
      const candle = chart.reading()?.candle
      return candle === undefined ? null : { time: candle.time, price: candle.close }
    }
    const from = here()
    if (from === null) return
    const follow = () => setMeasured({ from, to: here() ?? from })
    follow()
    return chart.onReading(follow)
  }, [chart, on, setMeasured])
}

function Box({ chart, measured: { from, to }, timeframe, digits }: BoxProps) {
  const box = useRef<HTMLDivElement>(null)
  // It goes with the bars in every frame, so it is placed without rendering.
  useEffect(() => {
    const place = () => {
      const [one, other] = [chart.placeOf(from), chart.placeOf(to)]
      if (box.current === null) return
      box.current.hidden = one === null || other === null
      if (one === null || other === null) return
      box.current.toggleAttribute('data-right', Math.min(one.x, other.x) > chart.width() / 2)
      box.current.style.left = `${Math.min(one.x, other.x)}px`
      box.current.style.top = `${Math.min(one.y, other.y)}px`
      box.current.style.width = `${Math.abs(one.x - other.x)}px`
      box.current.style.height = `${Math.abs(one.y - other.y)}px`
    }
    place()
    return chart.onView(place)
  }, [chart, from, to])
  return (
    <div ref={box} className={classes.box} data-down={to.price < from.price || undefined}>
      <output className={classes.words}>
        {measureWords(chart.barsBetween(from, to), from.price, to.price, timeframe, digits)}
      </output>
    </div>
  )
}

/** "12 bars, 3 h, +123.40, +0.19 %". */
export function measureWords(bars: number, from: number, to: number, timeframe: string, digits: number): string {
  const difference = to - from
  const price = `${difference < 0 ? '−' : '+'}${formatPrice(Math.abs(difference), digits)}`
  const count = Math.abs(bars)
  return `${bars < 0 ? '−' : ''}${count} ${count === 1 ? 'bar' : 'bars'}, ${spanWords(count, timeframe)}, ${price}, ${formatChange(difference / from)}`
}
