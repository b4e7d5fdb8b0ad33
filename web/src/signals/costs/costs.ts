import { useSearchParams } from 'react-router'

/** The largest fee and slippage that the server takes, in basis points. */
const MOST = 1_000

/** Costs of a simulated trade in basis points; those of the server where none is given. */
export interface ChosenCosts {
  readonly fee?: number
  readonly slippage?: number
}

/** A cost as it is typed, with a decimal point or comma: nothing if it is empty, and why if it cannot be taken. */
export function costIn(typed: string): { readonly cost?: number; readonly wrong?: string } {
  const text = typed.trim()
  if (text === '') return {}
  const cost = /^\d*[.,]?\d+$/.test(text) ? Number(text.replace(',', '.')) : Number.NaN
  return cost <= MOST ? { cost } : { wrong: 'A number from 0 to 1,000, e.g. 7.5' }
}

/** The costs that an address asks for; what it says wrongly counts as not said. */
export function costsOf(address: URLSearchParams): ChosenCosts {
  const [fee, slippage] = ['fee', 'slippage'].map((name) => costIn(address.get(name) ?? '').cost)
  return { ...(fee === undefined ? {} : { fee }), ...(slippage === undefined ? {} : { slippage }) }
}

/** The costs that the address of the page asks for. */
export function useCosts(): ChosenCosts {
  return costsOf(useSearchParams()[0])
}

/** True if the address asks for other costs than those of the server. */
export function useIsTried(): boolean {
  return Object.keys(useCosts()).length > 0
}
