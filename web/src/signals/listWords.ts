import { formatDay } from '../parts/format.ts'

/** A row of the setups that led to the list, in the state of its address: it counts entries, while the list has bars. */
export interface Entered {
  /** Number of entries, in the words of the row, such as "154". */
  readonly entries: number
}

/** The row that led to a page, from the state of its address, which may be anything. */
export function enteredIn(state: unknown): Entered | null {
  const entries = (state as Partial<Entered> | null)?.entries
  return typeof entries === 'number' ? { entries } : null
}

/** "330 bars; 154 of them began an entry, as the setups count." */
export function countedWords(bars: number, isAll: boolean, entered: Entered | null): string {
  const said = `${isAll ? '' : 'The newest '}${bars.toLocaleString('en-US')} ${bars === 1 ? 'bar' : 'bars'}`
  if (entered === null) return said
  const { entries } = entered
  const began = isAll && entries <= bars ? `${entries} of them began an entry` : `${entries} bars of the list began one`
  return `${said}. The setups count entries: ${began}, the others kept the position it asked for.`
}

/** Names that are said one by one. */
const SAID = 3

/** Why nothing of some assets is listed: their newest bars closed before the first day. Null if there are none. */
export function behindWords(
  assets: readonly { readonly asset: string; readonly newest: string }[],
  from: number,
  length: number,
): string | null {
  const behind = assets.filter(({ newest }) => newest !== '' && Date.parse(newest) + length <= from)
  if (behind.length === 0) return null
  const said = behind.slice(0, SAID).map(({ asset, newest }) => `${asset} (${formatDay(newest)})`)
  const more = behind.length - said.length
  const names = said.join(', ') + (more > 0 ? ` and ${more} more` : '')
  const [whose, bars] = behind.length === 1 ? ['its', 'bar is'] : ['their', 'bars are']
  return `Nothing is listed of ${names}: ${whose} newest ${bars} from before ${formatDay(from)}.`
}
