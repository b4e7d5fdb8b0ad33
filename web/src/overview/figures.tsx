import { memo } from 'react'
import { formatNumber, formatPrice } from '../parts/format.ts'
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

/** "+1.25 %", "-0.30 %", "0.00 %". */
export function formatChange(fraction: number): string {
  const said = (fraction * 100).toFixed(2)
  if (Number(said) === 0) return '0.00 %'
  return `${fraction > 0 ? '+' : ''}${said} %`
}

/** Percent of equity. */
export function formatSize(size: number): string {
  return `${formatNumber(size, 4)} %`
}
