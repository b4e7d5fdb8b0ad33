import {
  defaultHorzScaleBehavior,
  type IHorzScaleBehavior,
  type InternalHorzScaleItem,
  type TickMark,
  type TickMarkWeightValue,
  type Time,
} from 'lightweight-charts'

/** Local steps of the axis in minutes and the weights the library knows them by; the larger one wins a label. */
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

/** Weight of a moment as a mark of the axis, compared with the one before it, in the viewer's zone. */
export function markWeight(moment: Date, before: Date): number {
  if (moment.getFullYear() !== before.getFullYear()) return YEAR
  if (moment.getMonth() !== before.getMonth()) return MONTH
  if (moment.getDate() !== before.getDate()) return DAY
  const [now, then] = [minuteOfDay(moment), minuteOfDay(before)]
  for (const [minutes, weight] of STEPS) {
    if (Math.floor(now / minutes) !== Math.floor(then / minutes)) return weight
  }
  return 0
}

function minuteOfDay(moment: Date): number {
  return moment.getHours() * 60 + moment.getMinutes()
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const month = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric' })
const full = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

type Points = Parameters<IHorzScaleBehavior<Time>['fillWeightsForPoints']>[0]

/**
 * A time axis in the zone of the viewer: days begin at local midnight, labels are local.
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
    return full.format(this.#moment(item))
  }

  override formatTickmark(mark: TickMark): string {
    const moment = this.#moment(mark.time)
    if (mark.weight >= MONTH) return month.format(moment)
    return mark.weight >= DAY ? day.format(moment) : clock.format(moment)
  }

  #moment(item: InternalHorzScaleItem): Date {
    return new Date(Number(this.key(item)) * 1000)
  }
}
