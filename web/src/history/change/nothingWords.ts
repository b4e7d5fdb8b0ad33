/** Stands for all assets. */
export const ANY = 'any asset'

/** Why nothing came of a version for an asset, or for any. */
export function nothingWords(
  asset: string,
  { isFollowed, isEnded }: { isFollowed: boolean; isEnded: boolean },
): string {
  if (isFollowed && isEnded) return `The replay of ${asset} has ended, so no bar of it will be.`
  if (isFollowed)
    return `The first bar of ${asset} that closes from now on is decided with it. It is judged three bars later.`
  const other = asset === ANY ? 'an asset that is not decided any more' : 'another asset'
  const ended = isEnded ? `the replay of ${asset} ended before, ` : ''
  const said = `${ended}it was replaced before a bar of ${asset} closed, it concerned ${other}, or the bars of that time are not recorded.`
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}`
}
