/** Which of the known assets: those with a text in their names, or the first so many and those that are chosen. */
type Wanted = { readonly text: string } | { readonly most: number }

/** Known assets to choose from, in their order. */
export function assetsToOffer(known: readonly string[], chosen: readonly string[], wanted: Wanted): readonly string[] {
  if ('most' in wanted) return known.filter((name, place) => place < wanted.most || chosen.includes(name))
  const sought = wanted.text.trim().toUpperCase()
  return known.filter((name) => name.toUpperCase().includes(sought))
}
