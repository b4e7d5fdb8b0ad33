import { memo } from 'react'
import { formatChange, formatPrice } from '../parts/format.ts'
import { ticks } from '../parts/ticks.ts'

/** A price of an asset, to its tick. */
export const Price = memo(function Price({ asset, price }: { asset: string; price: number | null }) {
  return <span className="figure">{formatPrice(price, ticks.digits(asset))}</span>
})

/** Change of the price since the first close shown. */
export const Change = memo(function Change({ price, first }: { price: number | null; first: number | undefined }) {
  if (price === null || first === undefined || first === 0) return <span className="figure">-</span>
  return <span className="figure">{formatChange(price / first - 1)}</span>
})
