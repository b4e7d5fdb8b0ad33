import { bundledRulebook } from './generated/rulebook.js'
import { isObject, leaves, merged, valueAt, withValue } from './paths.js'
import type { Rule, Rulebook, Tunable } from './rulebook.js'
import type { Document, PartialConfiguration, ProblemEntry } from './types.js'

/** Basis of a check. */
export interface ValidationOptions {
  /** From the served schema; without it, that of the server this package was made with. */
  readonly rulebook?: Rulebook
  /** Configuration in force under the document, for rules between values. Without it, the defaults. */
  readonly over?: PartialConfiguration
}

/** Unknown names that are told one by one. */
const MOST_TOLD = 20
const LONGEST_NAME = 64
const KINDS: Record<string, string> = { number: 'a number', integer: 'a whole number', boolean: 'true or false' }

/**
 * Everything that is wrong with a configuration, as the server would tell it: the same paths, the same sentences.
 * Only the name it suggests for an unknown one may be another.
 *
 * @param config - what would be sent as a partial update: nested, flat, or both
 */
export function configurationProblems(
  config: unknown,
  { rulebook = bundledRulebook, over = {} }: ValidationOptions = {},
): ProblemEntry[] {
  if (!isObject(config)) return [{ path: '', message: `A JSON object is needed, not ${named(config)}` }]
  const [sent, problems] = nested(rulebook, merged({}, config))
  const touched = leaves(sent)
  if (!problems.length && !Object.keys(touched).length) {
    return [{ path: '', message: 'The message sets nothing; name at least one value, or reset the layer' }]
  }
  const unknown: ProblemEntry[] = []
  const wrong = [...sectionProblems(rulebook, sent, '', unknown), ...told(unknown)]
  let below: Document = {}
  for (const { path, default: value } of rulebook.tunables) below = withValue(below, path, value)
  const effective = leaves(merged(merged(below, over), sent))
  for (const { path } of wrong) delete effective[path]
  return [...problems, ...wrong, ...rulebook.rules.flatMap((rule) => ruleProblems(rulebook, rule, effective, touched))]
}

/**
 * Problems of a configuration, in sentences. An empty one has none, though the server
 * refuses a message that sets nothing ({@link configurationProblems} says so).
 */
export function validateConfiguration(config: unknown, options?: ValidationOptions): string[] {
  if (isObject(config) && !Object.keys(config).length) return []
  return configurationProblems(config, options).map(({ message }) => message)
}

/** The nested document that flat names stand for, and the problems with names at its top. */
function nested(rulebook: Rulebook, config: Document): [Document, ProblemEntry[]] {
  const top = namesIn(rulebook, '')
  const flat = rulebook.tunables.map(({ path, flatName = last(path) }) => flatName)
  let document: Document = Object.fromEntries(Object.entries(config).filter(([name]) => top.includes(name)))
  const problems: ProblemEntry[] = []
  const unknown: ProblemEntry[] = []
  for (const [name, value] of Object.entries(config)) {
    const path = flatPath(rulebook, name)
    if (top.includes(name)) continue
    if (!path) {
      unknown.push(unknownName('', name, nearest(name, [...top, ...flat])))
      continue
    }
    const placed = withValue(document, path, value)
    // Where the document says something else, laying it back over takes the value away again.
    if (JSON.stringify(merged(placed, document)) === JSON.stringify(placed)) document = placed
    else problems.push({ path: name, message: `'${name}' stands for '${path}', which the message sets as well` })
  }
  return [document, [...problems, ...told(unknown)]]
}

/** Problems with names, types and bounds in a section, which may be partial. */
function sectionProblems(
  rulebook: Rulebook,
  document: Document,
  section: string,
  unknown: ProblemEntry[],
): ProblemEntry[] {
  const known = namesIn(rulebook, section)
  const problems = known.flatMap((name) => {
    const value = valueAt(document, name)
    const path = below(section, name)
    const isSection = isSectionOf(rulebook, path)
    if (value === undefined) return []
    if (isSection && isObject(value)) return sectionProblems(rulebook, value, path, unknown)
    const tunable = tunableAt(rulebook, path)
    const message = isSection
      ? `'${path}' must be an object with the names of its values, not ${named(value)}`
      : tunable
        ? wrongValue(tunable, value)
        : wrongNote(value, rulebook.longestDescription)
    return message ? [{ path, message }] : []
  })
  for (const name of Object.keys(document)) {
    const elsewhere = flatPath(rulebook, name)
    if (!known.includes(name)) unknown.push(unknownName(section, name, nearest(name, known), elsewhere))
  }
  return problems
}

function wrongNote(value: unknown, longest: number): string {
  const isText = typeof value === 'string'
  if (isText && [...value].length <= longest) return ''
  const limit = value === null ? '' : ` of at most ${longest} characters`
  return `Description must be a text${limit}${isText ? '' : `, not ${named(value, true)}`}`
}

/** A sentence about a value that is wrong; empty if it is right. */
function wrongValue({ title, kind, minimum = -Infinity, maximum = Infinity, hint }: Tunable, value: unknown): string {
  const what = KINDS[kind]
  const isBoolean = kind === 'boolean'
  // A kind of a newer server, which checks it itself.
  if (!what || (isBoolean && typeof value === 'boolean')) return ''
  if (isBoolean || typeof value !== 'number' || Number.isNaN(value)) {
    const quotes = typeof value === 'string' && !isBoolean ? ' (without the quotes)' : ''
    return `${title} must be ${what}, not ${named(value, true)}${quotes}`
  }
  if (value < minimum || value > maximum) {
    return `${title} must be between ${figure(minimum)} and ${figure(maximum)}${hint ? ` (${hint})` : ''}`
  }
  return kind === 'integer' && !Number.isInteger(value) ? `${title} must be ${what}, not ${value}` : ''
}

/** Problems a rule finds between values. Values that are not numbers are skipped: they are problems of their own. */
function ruleProblems(rulebook: Rulebook, rule: Rule, values: Document, touched: Document): ProblemEntry[] {
  const { paths } = rule
  const numbers = paths.map((path) => (typeof values[path] === 'number' ? values[path] : Number.NaN))
  if (rule.rule === 'any_positive') {
    const message = 'At least one signal weight must be above 0: with none, nothing ever votes'
    return numbers.every((value) => value <= 0) ? [{ path: parent(paths[0] ?? ''), message }] : []
  }
  return paths.slice(1).flatMap((high, at) => {
    const [low = '', first = 0, second = 0] = [paths[at], numbers[at], numbers[at + 1]]
    if (!(first > second || (rule.strict && first === second))) return []
    const stated = (path: string, value: number) => `${tunableAt(rulebook, path)?.title} (${figure(value)})`
    const message = `${stated(low, first)} must ${rule.strict ? 'be below' : 'not be above'} ${withinSentence(stated(high, second))}`
    return [{ path: high in touched && !(low in touched) ? high : low, message }]
  })
}

const last = (path: string) => path.slice(path.lastIndexOf('.') + 1)
const parent = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('.')))
const below = (section: string, name: string) => (section ? `${section}.${name}` : name)

const tunableAt = ({ tunables }: Rulebook, at: string) => tunables.find(({ path }) => path === at)

/** The names a section knows; for a path that is not a section, only that of a note. */
function namesIn({ tunables }: Rulebook, section: string): string[] {
  const start = section && `${section}.`
  const names = tunables.flatMap(({ path }) => (path.startsWith(start) ? path.slice(start.length).split('.', 1) : []))
  return [...new Set(['description', ...names])]
}

/** True if a path is that of a section; the whole is the empty path. */
export function isSectionOf(rulebook: Rulebook, path: string): boolean {
  return namesIn(rulebook, path).length > 1
}

/** Path behind a flat name: the tunable with that flat name, or the only one with that own name. */
function flatPath({ tunables }: Rulebook, name: string): string | undefined {
  const owners = tunables.filter(({ path }) => last(path) === name)
  return (tunables.find(({ flatName }) => flatName === name) ?? (owners.length > 1 ? undefined : owners[0]))?.path
}

/** Kind of a value, in words. */
function named(value: unknown, inherits = false): string {
  if (value === null) return `null${inherits ? '; to go back to the inherited value, reset it' : ''}`
  if (value === undefined || Number.isNaN(value)) return `${value}`
  const names: Record<string, string> = { boolean: `a truth value (${value})`, number: 'a number', string: 'a text' }
  return names[typeof value] ?? (isObject(value) ? 'an object' : 'a list')
}

/** As it would be written by hand: no exponent, no lost digits, thousands apart. */
export function figure(value: number): string {
  const [digits = '', exponent] = `${value}`.split('e-')
  const zeros = `$&0.${'0'.repeat(exponent ? +exponent - 1 : 0)}`
  const plain = exponent ? digits.replace('.', '').replace(/^-?/, zeros) : digits
  return plain.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ' '))
}

/** A title within a sentence; abbreviations stay as they are. */
function withinSentence(title: string): string {
  return title.replace(/^[A-Z](?![A-Z]*\b)/, (letter) => letter.toLowerCase())
}

function unknownName(section: string, name: string, guess: string, elsewhere?: string): ProblemEntry {
  const clipped = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name
  const hint = elsewhere ? `it is '${elsewhere}'` : `the nearest known name is '${guess}'`
  const where = section && ` in '${section}'`
  return { path: below(section, clipped), message: `Unknown name '${clipped}'${where}; ${hint}` }
}

/** So many unknown names that they would hide everything else are only counted. */
function told(unknown: ProblemEntry[]): ProblemEntry[] {
  const more = unknown.splice(MOST_TOLD).length
  return more ? [...unknown, { path: '', message: `... and ${more} more unknown names` }] : unknown
}

/** The known name that has the most pairs of letters in common. */
function nearest(name: string, known: string[]): string {
  const likeness = (other: string) =>
    [...other].filter((_, at) => name.includes(other.slice(at, at + 2))).length / (name.length + other.length)
  return known.reduce((best, other) => (likeness(other) > likeness(best) ? other : best))
}
