/** Charts on the page, at least and at most. */
export const LEAST = 1
export const MOST = 6
const AT_FIRST = 4

/** Assets in the text of an address, such as `BTC,ETH`, in its order; without any, the first ones of the server. */
export function chosenAssets(text: string | null, assets: readonly string[]): readonly string[] {
  const known = new Map(assets.map((name) => [name.toUpperCase(), name]))
  const named = (text ?? '').split(',').map((name) => known.get(decoded(name).trim().toUpperCase()))
  const found = [...new Set(named.filter((name) => name !== undefined))].slice(0, MOST)
  return found.length === 0 ? assets.slice(0, AT_FIRST) : found
}

/** The same as text; names may have signs that mean something in an address. */
export function chosenText(assets: readonly string[]): string {
  return assets.map((name) => name.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',')
}

/** The assets with another one in a place; where it is already, the two change places. */
export function withChosen(assets: readonly string[], place: number, asset: string): readonly string[] {
  const before = assets[place]
  return assets.map((name, other) => (other === place ? asset : name === asset && before !== undefined ? before : name))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
