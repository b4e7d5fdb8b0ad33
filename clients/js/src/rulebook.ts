/** Kind of a value: a note for people is a `text`, one of several values a `choice`, a list or the like `other`. */
export type TunableKind = 'number' | 'integer' | 'boolean' | 'text' | 'choice' | 'other'

/** One value that can be set, with what is needed to check it. */
export interface Tunable {
  /** In dots, as in the document: `settings.state_threshold_bang`. */
  readonly path: string
  readonly title: string
  readonly kind: TunableKind
  /** The value in force where no layer sets it. */
  readonly default?: unknown
  /** Lowest allowed number. */
  readonly minimum?: number
  /** Highest allowed number. */
  readonly maximum?: number
  /** A sentence for people who mistook the unit. */
  readonly hint?: string
  /** Name in flat messages, where it is not the last part of the path. */
  readonly flatName?: string
}

/** Rule between values: each at or below the next (with `strict`: below), or at least one above 0. */
export type Rule = { rule: 'ordered'; paths: string[]; strict: boolean } | { rule: 'any_positive'; paths: string[] }

/** Everything needed to check a configuration without asking the server. */
export interface Rulebook {
  /** Characters a `description` may have. */
  longestDescription: number
  tunables: Tunable[]
  rules: Rule[]
}
