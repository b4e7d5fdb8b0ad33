import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { rulebookOf } from '../../src/draft/index.js'
import {
  bundledRulebook,
  type ConfigSchema,
  configurationProblems,
  type Document,
  merged,
  type PartialConfiguration,
  type ProblemEntry,
  type Tunable,
  type Verdict,
  VivienneRestClient,
  VivienneUnreachable,
  withValue,
} from '../../src/index.js'
import { type RunningServer, sharedServer } from '../server.js'

const IN_FLIGHT = 16
/** `VIVIENNE_TEST_SIZE=full` tries all of them, as with the property tests in Python. */
const CONFIGURATIONS = process.env.VIVIENNE_TEST_SIZE === 'full' ? 1_600 : 160
const SEED = Number(process.env.SEED ?? 1)

let server: RunningServer
let rest: VivienneRestClient

beforeAll(async () => {
  server = await sharedServer()
  rest = new VivienneRestClient(server.url, { timeout: 60_000 })
})

test('the rulebook of the package is that of the server', async () => {
  const schema: ConfigSchema = await rest.schema()
  expect(rulebookOf(schema)).toEqual(bundledRulebook)
})

const anything = fc.oneof(
  fc.constantFrom(null, true, false, '', '80', 'text', 0, 1, -1, 1e300),
  fc.constantFrom<unknown>([], [1], {}, { a: 1 }, { a: { b: null } }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

function valuesOf({ kind, default: standard, minimum = 0, maximum = 1 }: Tunable): fc.Arbitrary<unknown> {
  if (kind === 'boolean') return fc.oneof({ weight: 4, arbitrary: fc.boolean() }, anything)
  const inside = fc.double({ min: minimum, max: maximum, noNaN: true })
  return fc.oneof(
    { weight: 4, arbitrary: kind === 'integer' ? fc.integer({ min: minimum, max: maximum }) : inside },
    {
      weight: 2,
      arbitrary: fc.constantFrom<unknown>(standard, minimum, maximum, minimum - 1, maximum + 1, maximum * 1.001),
    },
    { weight: 1, arbitrary: inside },
    { weight: 1, arbitrary: anything },
  )
}

/** A value, nested or under one of its flat names. */
const setting: fc.Arbitrary<Document> = fc.constantFrom(...bundledRulebook.tunables).chain((tunable) => {
  const own = tunable.path.slice(tunable.path.lastIndexOf('.') + 1)
  const nested = valuesOf(tunable).map((value) => withValue({}, tunable.path, value))
  const flat = fc.tuple(fc.constantFrom(own, tunable.flatName ?? own), valuesOf(tunable))
  return fc.oneof(
    nested,
    nested,
    flat.map(([name, value]) => ({ [name]: value })),
  )
})

/** The values between which a rule holds, in any order. */
const bound: fc.Arbitrary<Document> = fc.constantFrom(...bundledRulebook.rules).chain(({ paths }) =>
  fc
    .tuple(
      ...paths.map((path) => {
        const tunable = bundledRulebook.tunables.find((candidate) => candidate.path === path) as Tunable
        return fc.option(fc.oneof(valuesOf(tunable), fc.constant(tunable.minimum ?? 0)), { nil: tunable.default })
      }),
    )
    .map((values) => paths.reduce<Document>((document, path, at) => withValue(document, path, values[at]), {})),
)

const name = fc.oneof(
  fc.stringMatching(/^[a-zA-Zé_ ]{1,14}$/),
  fc.constantFrom(
    'bang_treshold',
    'setting',
    'enabled',
    'bang_threshold',
    'rsi',
    'x'.repeat(70),
    'constructor',
    '__proto__x',
  ),
)
const sections = [
  ...new Set(
    bundledRulebook.tunables.flatMap(({ path }) => [...path.matchAll(/\./g)].map(({ index }) => path.slice(0, index))),
  ),
]
const inSection = (arbitrary: fc.Arbitrary<Document>): fc.Arbitrary<Document> =>
  fc
    .tuple(fc.constantFrom('', ...sections), arbitrary)
    .map(([section, document]) => (section ? withValue({}, section, document) : document))

const note = inSection(
  fc
    .oneof(
      anything,
      fc.string({ maxLength: 20 }),
      fc.constantFrom('x'.repeat(500), 'x'.repeat(501), '😀'.repeat(500), '😀'.repeat(501)),
    )
    .map((description) => ({ description })),
)
const unknown = inSection(fc.tuple(name, anything).map(([key, value]) => ({ [key]: value })))
const manyUnknown = inSection(
  fc
    .array(fc.nat(40), { minLength: 15, maxLength: 30 })
    .map((all) => Object.fromEntries(all.map((at) => [`n${at}`, at]))),
)
const section: fc.Arbitrary<Document> = fc
  .tuple(fc.constantFrom(...sections), anything)
  .map(([path, value]) => withValue({}, path, value))

const document: fc.Arbitrary<Document> = fc
  .array(
    fc.oneof(
      { weight: 100, arbitrary: setting },
      { weight: 50, arbitrary: bound },
      { weight: 12, arbitrary: note },
      { weight: 10, arbitrary: unknown },
      { weight: 1, arbitrary: manyUnknown },
      { weight: 10, arbitrary: section },
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.reduce<Document>((whole, part) => merged(whole, part), {}))

const documents = fc.sample(document, { numRuns: CONFIGURATIONS, seed: SEED })

/** What matters of problems: which name is suggested for an unknown one is a matter of taste. */
function essence(problems: readonly ProblemEntry[]): string[] {
  return problems
    .map(({ path, message }) => `${path}: ${message.replace(/; the nearest known name is '.*'$/, '')}`)
    .sort()
}

/** A connection may be closed by a busy server just when it is used again; then it is asked once more. */
function verdict(config: PartialConfiguration, asset: string): Promise<Verdict> {
  return rest.validate(config, { asset }).catch((error: unknown) => {
    if (error instanceof VivienneUnreachable) return rest.validate(config, { asset })
    throw error
  })
}

async function disagreements(asset: string, over?: PartialConfiguration): Promise<object[]> {
  const left = [...documents]
  const found: object[] = []
  const work = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const { valid, errors } = await verdict(next as PartialConfiguration, asset)
      const [server, client] = [essence(errors), essence(configurationProblems(next, over && { over }))]
      const agree = JSON.stringify(server) === JSON.stringify(client) && valid === (client.length === 0)
      if (!agree) found.push({ sent: JSON.stringify(next), server, client })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  return found.slice(0, 5)
}

test('client and server say the same about every configuration, laid over the defaults', async () => {
  expect(await disagreements('BTC')).toEqual([])
})

test('client and server say the same about every configuration, laid over what is in force', async () => {
  const settings = { state_threshold_bang: 60, state_threshold_aim: 55, state_threshold_loaded: 54 }
  await rest.update(
    { settings, signals: { rsi_half: 39.5 }, signal_weights: { ema_cross: 0, macd: 0, rsi: 0, bb_bounce: 0 } },
    { asset: 'ETH' },
  )
  const { config } = await rest.active('ETH')
  expect(await disagreements('ETH', config)).toEqual([])
})

test('most generated configurations have something wrong, many have nothing', () => {
  const valid = documents.filter((each) => configurationProblems(each).length === 0).length
  expect([valid > CONFIGURATIONS / 20, valid < CONFIGURATIONS / 2]).toEqual([true, true])
})
