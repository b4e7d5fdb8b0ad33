import type { VersionDecisions, VersionOutcome } from 'vivienne-client'

/** Decisions of one of the two versions that stand beside each other. */
export interface Sided {
  readonly version: number
  readonly made: VersionDecisions
}

/** Those of the version, and those of the version before if there is one. */
export function sidesOf({ version, before, now, then }: VersionOutcome): readonly Sided[] {
  const own = { version, made: now }
  return before === null || then === null ? [own] : [own, { version: before, made: then }]
}
