import type { AssetState, PauseEntry } from 'vivienne-client'

/** So many names are said; of more, how many there are. */
const SAID = 4

/** "BTC", "BTC and ETH", "BTC, ETH, SOL and 9 more". */
export function namesWords(names: readonly string[]): string {
  const said = names.length > SAID ? [...names.slice(0, SAID - 1), `${names.length - SAID + 1} more`] : names
  return said.length < 2 ? said.join('') : `${said.slice(0, -1).join(', ')} and ${said.at(-1)}`
}

/** By whom and why, after the word "paused": "by ana: wrong prices". The frame explains a pause of all assets. */
function pauseWords({ asset_symbol: asset, author, reason }: PauseEntry): string {
  return asset === null ? 'with all assets' : `by ${author}${reason === null ? '' : `: ${reason}`}`
}

/** The pause of a state, and the trouble with its data; empty while it is not paused. */
export function pausedState({ pause, trouble }: Pick<AssetState, 'pause' | 'trouble'>): string {
  if (pause === null) return ''
  return trouble === null ? pauseWords(pause) : `${pauseWords(pause)}; ${trouble.message}`
}

/** Paused assets, as a sentence without its end: "All assets are paused, BTC by itself too". */
export function pausedSentence(pauses: readonly Pick<PauseEntry, 'asset_symbol'>[]): string {
  const names = pauses.flatMap(({ asset_symbol }) => (asset_symbol === null ? [] : [asset_symbol]))
  if (names.length < pauses.length) {
    const self = names.length > 1 ? 'by themselves' : 'by itself'
    return names.length === 0 ? 'All assets are paused' : `All assets are paused, ${namesWords(names)} ${self} too`
  }
  return `${namesWords(names)} ${names.length > 1 ? 'are' : 'is'} paused`
}

/** The assets that are paused by their states while no known pause bears on them. */
export function unexplained(
  pauses: readonly Pick<PauseEntry, 'asset_symbol'>[],
  standings: readonly { readonly asset: string; readonly status: string }[],
): string[] {
  const known = new Set(pauses.map(({ asset_symbol }) => asset_symbol))
  if (known.has(null)) return []
  return standings.filter(({ asset, status }) => status === 'paused' && !known.has(asset)).map(({ asset }) => asset)
}

/** True if an asset is paused by its state and not by the list of pauses, or the other way round. */
export function disagree(
  list:
    | { readonly paused: readonly string[]; readonly pauses: readonly Pick<PauseEntry, 'asset_symbol'>[] }
    | undefined,
  standings: readonly { readonly asset: string; readonly status: string }[],
): boolean {
  if (unexplained(list?.pauses ?? [], standings).length > 0) return true
  const listed = new Set(list?.paused)
  return standings.some(({ asset, status }) => status !== 'paused' && listed.has(asset))
}

/** Effect of a resumption, as sentences. */
export function resumptionWords(layer: string | null, pauses: readonly Pick<PauseEntry, 'asset_symbol'>[]): string {
  const others = pauses.map(({ asset_symbol }) => asset_symbol).filter((each) => each !== layer)
  if (layer !== null && others.includes(null))
    return `All assets are paused, so ${layer} stays idle until they are resumed as well.`
  const decided = layer === null ? 'Assets are decided' : `${layer} is decided`
  const again = `${decided} again at once, with the configuration now in force.`
  const names = layer === null ? others.flatMap((each) => each ?? []) : []
  return names.length === 0 ? again : `${again} ${namesWords(names)} ${names.length > 1 ? 'stay' : 'stays'} paused.`
}
