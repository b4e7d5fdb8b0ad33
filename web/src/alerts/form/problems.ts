import type { ProblemEntry } from 'vivienne-client'

/** Sentences about one field and what is below it: `channels.0.url`, or `assets.1` for `assets`. */
export function sentencesAt(problems: readonly ProblemEntry[], path: string): string | undefined {
  const found = problems.filter((problem) => isAt(problem.path, path)).map(({ message }) => message)
  return found.length === 0 ? undefined : found.join(' ')
}

/** The problems that are left when some fields have been changed. */
export function without(problems: readonly ProblemEntry[], paths: readonly string[]): readonly ProblemEntry[] {
  const left = problems.filter((problem) => !paths.some((path) => isAt(problem.path, path)))
  return left.length === problems.length ? problems : left
}

/** Those that stand at none of these fields, and must be said elsewhere. */
export function elsewhere(problems: readonly ProblemEntry[], paths: readonly string[]): readonly ProblemEntry[] {
  return problems.filter((problem) => !paths.some((path) => isAt(problem.path, path)))
}

function isAt(place: string, path: string): boolean {
  return place === path || place.startsWith(`${path}.`)
}
