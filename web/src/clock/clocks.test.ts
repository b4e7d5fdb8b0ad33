import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AssetData, ConnectionSnapshot } from 'vivienne-client'
import { Arrivals } from './Arrivals.ts'
import { ServerClock } from './ServerClock.ts'
import { SteadyClock } from './SteadyClock.ts'

/** The machine: its two clocks, and the server's. */
class Machine {
  passed = 0
  wall: number
  server = Date.parse('2026-01-01T12:00:00Z')
  readonly steady: SteadyClock
  readonly clock: ServerClock
  readonly arrivals: Arrivals

  /** @param ahead - how far the clock of the browser is off, in ms */
  constructor(ahead = 0) {
    this.wall = this.server + ahead
    this.steady = new SteadyClock(
      () => this.passed,
      () => this.wall,
    )
    this.clock = new ServerClock(this.steady)
    this.arrivals = new Arrivals(this.steady, this.clock)
  }

  pass(ms: number): void {
    this.passed += ms
    this.wall += ms
    this.server += ms
  }

  /** A state arrives that was made so long ago. */
  receive(ago = 0, asset = 'BTC'): void {
    const timestamp = new Date(this.server - ago).toISOString()
    this.arrivals.received({ type: 'asset_data', asset, timestamp, agents: {} } as unknown as AssetData)
  }

  /** A change arrives that was made so long ago. */
  changed(ago: number): void {
    const patch = { timestamp: new Date(this.server - ago).toISOString() }
    this.arrivals.received({ type: 'asset_changed', asset: 'BTC', seq: 2, base_seq: 1, patch })
  }

  /** The server answers a subscription, after which it sends what it has. */
  subscribed(): void {
    const timestamp = new Date(this.server).toISOString()
    this.arrivals.received({ type: 'subscribe_response', status: 'success', timestamp, assets: ['BTC'] })
  }

  connect(): void {
    this.arrivals.changed({ state: 'connecting', retryAt: null } as ConnectionSnapshot)
  }

  /** How far the page is off in what it takes for the time of the server. */
  get off(): number {
    return (this.clock.now() ?? Number.NaN) - this.server
  }
}

describe('time by the clock of the server', () => {
  test.each([0, -90_000, 90_000])('is the same with the clock of the browser %d ms off', (ahead) => {
    const machine = new Machine(ahead)
    machine.receive()
    machine.pass(20_000)
    expect(machine.off).toBe(0)
  })

  test('goes on while the server is silent and somebody sets the clock back', () => {
    const machine = new Machine()
    machine.receive()
    machine.wall -= 90_000
    machine.pass(20_000)
    expect(machine.off).toBe(0)
  })

  test('is not known before anything came', () => {
    expect(new Machine().clock.now()).toBeNull()
  })

  test('is asked for, and then old messages do not look new', () => {
    const machine = new Machine()
    machine.receive(32_000)
    expect(machine.off).toBe(-32_000)
    const asked = machine.steady.now()
    machine.pass(2_000)
    const time = machine.server
    machine.pass(2_000)
    machine.clock.answered(time, asked)
    expect(machine.off).toBe(0)
  })

  test('counts the time for which the machine slept', () => {
    const machine = new Machine()
    machine.receive()
    machine.wall += 8 * 3_600_000
    machine.server += 8 * 3_600_000
    expect(machine.off).toBe(0)
  })

  test('is right again with the next message after a clock was set', () => {
    const machine = new Machine()
    machine.receive()
    machine.wall += 90_000
    expect(machine.off).toBe(90_000)
    machine.receive()
    expect(machine.off).toBe(0)
    machine.server -= 90_000
    machine.clock.answered(machine.server, machine.steady.now())
    expect(machine.off).toBe(0)
  })
})

describe('arrivals', () => {
  test('say how long a state took, unless the server may have kept it', () => {
    const machine = new Machine()
    machine.clock.answered(machine.server, machine.steady.now())
    machine.receive(9_000)
    expect(machine.arrivals.delay).toBeNull()
    machine.receive(32_000)
    expect(machine.arrivals.delay).toBe(32_000)
    machine.receive(100)
    expect(machine.arrivals.delay).toBe(100)
    machine.changed(7_000)
    expect(machine.arrivals.delay).toBe(7_000)
    machine.subscribed()
    machine.receive(60_000)
    expect(machine.arrivals.delay).toBe(7_000)
    machine.connect()
    expect(machine.arrivals.delay).toBeNull()
  })

  test('know when the last message came, by a clock that nobody sets', () => {
    const machine = new Machine()
    machine.receive()
    machine.wall -= 90_000
    machine.pass(20_000)
    expect(machine.steady.now() - (machine.arrivals.lastMessage ?? Number.NaN)).toBe(20_000)
  })
})

describe('the clock of a browser', () => {
  afterEach(() => void vi.useRealTimers())

  test('goes on as time passes, whatever the clock of the machine is set to', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.parse('2026-01-01T12:00:00Z') })
    const clock = new SteadyClock()
    vi.setSystemTime(Date.parse('2026-01-01T11:58:30Z'))
    vi.advanceTimersByTime(20_000)
    expect(clock.now()).toBe(20_000)
  })
})
