const MINUTE = 60_000
/** 2026-01-01T00:00Z. */
const BEGIN = 1_767_225_600_000
const PRICE = 100

/** What a recorded market did. */
export interface Walk {
  readonly seed: number
  readonly minutes: number
  /** The first minute that cannot be read any more. */
  readonly brokenAt?: number
}

/**
 * One-minute klines of a random walk with swings, as a CSV in the columns of Binance's archive; the same for the same seed.
 * With an even seed trades are so small that a filter holds back what is decided.
 */
export function recordedKlines({ seed, minutes, brokenAt }: Walk): string {
  const random = randomNumbers(seed)
  const rows: string[] = []
  let close = PRICE
  for (let minute = 0; minute < minutes; minute++) {
    const opened = close
    const drift = 0.0004 * Math.sin((minute / 240 + seed) * 2 * Math.PI)
    close *= Math.exp(drift + 0.0016 * (random() + random() + random() - 1.5))
    const high = Math.max(opened, close) * (1 + 0.0005 * random())
    const low = Math.min(opened, close) * (1 - 0.0005 * random())
    const volume = (20 + 60 * random()) * (seed % 2 === 1 ? 3 : 1)
    const begin = BEGIN + minute * MINUTE
    const figures = [opened, high, low, close, volume].map((figure) => figure.toFixed(4))
    if (minute === brokenAt) figures[3] = 'NaN'
    const bought = volume * (0.3 + 0.4 * random())
    const traded = [volume * close, 50 + Math.floor(250 * random()), bought, bought * close].map((one) =>
      one.toFixed(0),
    )
    rows.push([begin, ...figures, begin + MINUTE - 1, ...traded, 0].join(','))
  }
  return `${rows.join('\n')}\n`
}

/** Numbers from 0 to 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
