import {
  defaultHorzScaleBehavior,
  type IHorzScaleBehavior,
  type InternalHorzScaleItem,
  type TickMark,
  type TickMarkWeightValue,
  type Time,
} from 'lightweight-charts'
import { formatBarTime } from '../../parts/format.ts'
import { clockOf, zoned } from '../../parts/zone.ts'

/** Steps of the axis in minutes and the weights the library knows them by; the larger one wins a label. */
const STEPS: readonly (readonly [minutes: number, weight: number])[] = [
  [720, 33],
  [360, 32],
  [180, 31],
  [60, 30],
  [30, 22],
  [5, 21],
  [1, 20],
]
const [YEAR, MONTH, DAY] = [70, 60, 50]

/** Weight of a moment as a mark of the axis, compared with the one before it, in the zone that is chosen. */
export function markWeight(moment: Date, before: Date): number {
  const [now, then] = [clockOf(moment), clockOf(before)]
  if (now.year !== then.year) return YEAR
  if (now.month !== then.month) return MONTH
  if (now.day !== then.day) return DAY
  for (const [minutes, weight] of STEPS) {
    if (Math.floor(now.minute / minutes) !== Math.floor(then.minute / minutes)) return weight
  }
  return 0
}

const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const DATE = { day: 'numeric', month: 'short' } as const
const clock = zoned(CLOCK)
const day = zoned(DATE)
const month = zoned({ month: 'short', year: 'numeric' })

type Points = Parameters<IHorzScaleBehavior<Time>['fillWeightsForPoints']>[0]

/**
 * A time axis in the zone that is chosen: days begin at midnight there, and labels are its times.
 *
 * The library itself knows UTC only. Shifting the data instead would put two bars at one time when summer ends.
 */
export class ZonedTimeScale extends defaultHorzScaleBehavior() {
  override fillWeightsForPoints(points: Points, start: number): void {
    for (let index = start; index < points.length; index++) {
      const point = points[index]
      if (point === undefined) continue
      const time = this.#moment(point.time)
      const before = points[index - 1]
      const gap = index === 0 && points[1] !== undefined ? Number(this.#moment(points[1].time)) - Number(time) : 0
      const earlier = before === undefined ? new Date(Number(time) - gap) : this.#moment(before.time)
      point.timeWeight = markWeight(time, earlier) as TickMarkWeightValue
    }
  }

  override formatHorzItem(item: InternalHorzScaleItem): string {
    return formatBarTime(this.#moment(item))
  }

  override formatTickmark(mark: TickMark): string {
    const moment = this.#moment(mark.time)
    if (mark.weight >= MONTH) return month(moment)
    return mark.weight >= DAY ? day(moment) : clock(moment)
  }

  #moment(item: InternalHorzScaleItem): Date {
    return new Date(Number(this.key(item)) * 1000)
  }
}
