import type { SteadyClock } from './SteadyClock.ts'

/**
 * The clock of the server, as far as it can be known here. It is at least as late as every message says, and where it was asked
 * for the time, that is from after the question and from before the answer. Nothing depends on the clock of the browser.
 */
export class ServerClock {
  readonly #own: SteadyClock
  /** Bounds of what is to be added to the own clock. */
  #least = Number.NEGATIVE_INFINITY
  #most = Number.POSITIVE_INFINITY
  #jumps = 0

  constructor(own: SteadyClock) {
    this.#own = own
  }

  /** Something came that the server wrote at this time of its clock. */
  heard(time: number): void {
    this.#take(time - this.#own.now(), Number.POSITIVE_INFINITY)
  }

  /** The server answered with the time of its clock a question that was sent at this time of the own one. */
  answered(time: number, asked: number): void {
    this.#take(time - this.#own.now(), time - asked)
  }

  /** Time of the server, in ms since the epoch; null before anything came. */
  now(): number | null {
    if (this.#least === Number.NEGATIVE_INFINITY) return null
    const ahead = this.#most === Number.POSITIVE_INFINITY ? this.#least : (this.#least + this.#most) / 2
    return this.#own.now() + ahead
  }

  #take(least: number, most: number): void {
    if (!Number.isFinite(least)) return
    const [low, high] = [Math.max(this.#least, least), Math.min(this.#most, most)]
    // One of the clocks was set: what was known before is worth nothing.
    const known = low <= high && this.#own.jumps === this.#jumps
    this.#jumps = this.#own.jumps
    this.#least = known ? low : least
    this.#most = known ? high : most
  }
}
