import type { VivienneClient } from 'vivienne-client'

/** A number with more significant digits than this was computed, e.g. an average; what it was rounded to is no tick. */
const MOST_SIGNIFICANT = 10
/** More digits after the point than any market has. */
const MOST_DIGITS = 20

/** Digits after the point that show a price to its tick, as far as the prices seen let one tell. */
export function priceDigits(prices: Iterable<number>): number {
  let digits = 0
  for (const price of prices) {
    if (Number.isFinite(price) && price !== 0) digits = Math.max(digits, digitsOf(price))
  }
  return digits
}

function digitsOf(price: number): number {
  const magnitude = Math.floor(Math.log10(Math.abs(price)))
  const own = ownDigits(price)
  // Five significant ones say enough about a price without a tick.
  const wanted = own + magnitude >= MOST_SIGNIFICANT ? 4 - magnitude : own
  return Math.max(wanted, magnitude < 3 ? 2 : 0)
}

/** Digits after the point in the shortest way to write a number: eight in 0.00000811. */
function ownDigits(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const point = mantissa.indexOf('.')
  return Math.max(0, (point < 0 ? 0 : mantissa.length - point - 1) - Number(exponent))
}

/** Digits after the point in the multiples of a tick size: two for 0.25. */
export function tickDigits(tickSize: number): number {
  return Math.min(MOST_DIGITS, ownDigits(tickSize))
}

/**
 * Digits after the point in the prices of each asset: those of its tick size. Where the wire has none they follow from the
 * prices, and only get more: the same price reads the same on every page, and keeps its width.
 */
export class Ticks {
  readonly #digits = new Map<string, number>()
  readonly #known = new Map<string, number>()

  /** Takes the tick size of an asset; null or nothing if it is not known. */
  know(asset: string, tickSize: number | null | undefined): void {
    if (tickSize != null && tickSize > 0) this.#known.set(asset, tickDigits(tickSize))
  }

  learn(asset: string, prices: Iterable<number>): void {
    this.#digits.set(asset, Math.max(this.#digits.get(asset) ?? 0, priceDigits(prices)))
  }

  /** Two before any price is known. */
  digits(asset: string): number {
    return this.#known.get(asset) ?? this.#digits.get(asset) ?? 2
  }
}

/** Those of the server. */
export const ticks = new Ticks()

/** Learns from every state that comes. */
export function followTicks(client: VivienneClient): void {
  client.connection.on('asset_data', ({ asset, agents }) => {
    const { price, tick_size } = agents.VivienneAgent?.data ?? {}
    ticks.know(asset, tick_size)
    if (price != null) ticks.learn(asset, [price])
  })
}
