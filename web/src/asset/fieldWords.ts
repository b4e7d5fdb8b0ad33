import { bundledRulebook } from 'vivienne-client'

const TITLES: ReadonlyMap<string, string> = new Map(bundledRulebook.tunables.map(({ path, title }) => [path, title]))

/** What people call a value of the configuration; one that is newer than this page, by the last name of its path. */
export function fieldWords(path: string): string {
  return TITLES.get(path) ?? (path.split('.').at(-1) ?? path).replaceAll('_', ' ')
}
