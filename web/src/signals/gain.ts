import { fixed } from '../parts/format.ts'

/** More decimals than these say nothing about an account, unless all figures beside them need them. */
const MOST_DECIMALS = 4

/** A gain or loss in percent with its sign and three significant digits, as far as they matter: "+0.0123 %", "-1.25 %". */
export function formatGain(percent: number, decimals = decimalsFor([percent], MOST_DECIMALS)): string {
  if (percent === 0) return '0 %'
  const said = fixed(decimals).format(percent)
  // What is rounded to nothing has no sign.
  return Number(percent.toFixed(decimals)) === 0 ? `${said.replace('-', '')} %` : `${percent > 0 ? '+' : ''}${said} %`
}

/** Decimals with which the largest of some figures has three significant digits, so that they stand below each other. */
export function decimalsFor(figures: readonly number[], most = 12): number {
  const largest = Math.max(...figures.map(Math.abs), 0)
  return largest === 0 ? 2 : Math.min(most, Math.max(2, 2 - Math.floor(Math.log10(largest))))
}

/** A size in percent: "0.0123 %", "12.5 %". */
export function formatPart(percent: number): string {
  return formatGain(percent).replace('+', '')
}
