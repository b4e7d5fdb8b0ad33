/** Beyond this, in ms, the two clocks disagree because the machine slept, or because somebody set one of them. */
const JUMP = 5_000

/**
 * Milliseconds since some moment, which never go back. The clock of the machine may be wrong, and may be set while the page is
 * open; the steady one of the browser stands still while the machine sleeps. What is counted is the longer of the two, so that
 * nothing looks younger than it is.
 */
export class SteadyClock {
  readonly #steady: () => number
  readonly #wall: () => number
  #last: { readonly steady: number; readonly wall: number }
  #now = 0
  /** Number of times the clock of the machine ran ahead: what was derived from this clock before may be wrong. */
  jumps = 0

  constructor(steady = () => performance.now(), wall = () => Date.now()) {
    this.#steady = steady
    this.#wall = wall
    this.#last = { steady: steady(), wall: wall() }
  }

  readonly now = (): number => {
    const next = { steady: this.#steady(), wall: this.#wall() }
    const passed = Math.max(0, next.steady - this.#last.steady)
    const byWall = next.wall - this.#last.wall
    const jumped = byWall - passed > JUMP
    if (jumped) this.jumps++
    this.#now += jumped ? byWall : passed
    this.#last = next
    return this.#now
  }
}
