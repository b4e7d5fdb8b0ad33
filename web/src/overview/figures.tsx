import { memo } from 'react'
import { formatNumber, formatPrice, priceDigits } from '../parts/format.ts'

/** A price with as many digits as the first one shown had, so that it keeps its width. */
export const Price = memo(function Price({ price, first }: { price: number | null; first: number | undefined }) {
  return <span className="figure">{formatPrice(price, priceDigits(first ?? price ?? 0))}</span>
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
