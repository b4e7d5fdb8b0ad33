import { bundledRulebook } from 'vivienne-client'

const TITLES: ReadonlyMap<string, string> = new Map(bundledRulebook.tunables.map(({ path, title }) => [path, title]))

/** Title of a value of the configuration; without a known title, the last name of its path. */
export function fieldWords(path: string): string {
  return TITLES.get(path) ?? (path.split('.').at(-1) ?? path).replaceAll('_', ' ')
}
