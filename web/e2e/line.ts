import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const TICK_MS = 20
/** Bytes that a connection gets before another one has its turn. */
const PIECE = 1460
/** Bytes that wait on the way before the server is not read any more, as in the buffers of a modem. */
const MOST_WAITING = 1_000_000

/** A line to a server, which may become narrow: all its connections share the bytes per second, WebSockets too. */
export interface Line {
  readonly url: string
  /** From now on so many bytes per second come from the server, each so many ms late. */
  narrow(bytesPerSecond: number, ms: number): void
  close(): void
}

interface Waiting {
  readonly due: number
  bytes: Buffer
}

/** One connection: what the server sent and has not passed yet. */
class Lane {
  readonly #near: Socket
  readonly #far: Socket
  readonly #waiting: Waiting[] = []
  #held = 0
  #isOver = false

  constructor(near: Socket, far: Socket, lateness: () => number) {
    this.#near = near
    this.#far = far
    near.pipe(far)
    far.on('data', (bytes: Buffer) => {
      this.#waiting.push({ due: Date.now() + lateness(), bytes })
      this.#held += bytes.length
      if (this.#held > MOST_WAITING) far.pause()
    })
    near.on('error', () => far.destroy())
    near.on('close', () => far.destroy())
    // A server closes connections that it has answered; what is on the way still arrives.
    far.on('error', () => far.destroy())
    far.on('close', () => {
      this.#isOver = true
      this.#finish()
    })
  }

  #finish(): void {
    if (this.#isOver && this.#waiting.length === 0) this.#near.end()
  }

  /** Passes on at most so many bytes that are due; tells how many it were. */
  pass(most: number): number {
    const [first] = this.#waiting
    if (first === undefined || first.due > Date.now()) return 0
    const piece = first.bytes.subarray(0, most)
    first.bytes = first.bytes.subarray(piece.length)
    if (first.bytes.length === 0) this.#waiting.shift()
    this.#held -= piece.length
    if (this.#held <= MOST_WAITING) this.#far.resume()
    this.#near.write(piece)
    this.#finish()
    return piece.length
  }

  end(): void {
    this.#near.destroy()
    this.#far.destroy()
  }
}

/** Opens a line to a port of this machine. It is wide at first. */
export async function lineTo(port: number): Promise<Line> {
  const lanes = new Set<Lane>()
  let [rate, late] = [Number.POSITIVE_INFINITY, 0]
  const way = createServer((near) => {
    const lane = new Lane(near, connect(port, '127.0.0.1'), () => late)
    lanes.add(lane)
    near.on('close', () => lanes.delete(lane))
  })
  let before = Date.now()
  let left = 0
  const ticks = setInterval(() => {
    const now = Date.now()
    // What was not used is lost: a line does not save up.
    left = Math.min(left, PIECE) + (rate * (now - before)) / 1000
    before = now
    for (let passed = true; passed && left > 0; ) {
      passed = false
      for (const lane of lanes) {
        const count = left > 0 ? lane.pass(PIECE) : 0
        left -= count
        passed ||= count > 0
      }
    }
  }, TICK_MS)
  way.listen(0, 'localhost')
  await once(way, 'listening')
  return {
    url: `http://localhost:${(way.address() as AddressInfo).port}`,
    narrow(bytesPerSecond, ms) {
      rate = bytesPerSecond
      late = ms
    },
    close() {
      clearInterval(ticks)
      way.close()
      for (const lane of lanes) lane.end()
    },
  }
}
