import { expect, test } from 'vitest'
import { rulebookOf } from '../../src/draft/index.js'
import { bundledRulebook, configurationProblems, type Rulebook, validateConfiguration } from '../../src/index.js'

test('a configuration that holds has no problems', () => {
  expect(validateConfiguration({ settings: { state_threshold_bang: 85 }, aim_threshold: 75 })).toEqual([])
  expect(validateConfiguration({ indicators: { rsi_period: 14 }, trend: undefined, rsi_weight: undefined })).toEqual([])
})

test.each([
  [{ bang_threshold: 105 }, 'Bang threshold must be between 0 and 100'],
  [{ settings: { state_threshold_aim: -1 } }, 'Aim threshold must be between 0 and 100'],
  [{ signal_weights: { rsi: 1.5 } }, 'Signal weight rsi must be between 0 and 1'],
  [{ levels_buffer_percent: 0.5 }, 'Levels buffer must be between 0 and 0.1 (it is a fraction: 0.3 % is 0.003)'],
  [{ retail_chop_trade_count_threshold: -1 }, 'Retail chop trade count must be between 0 and 1 000 000'],
  [{ bang_threshold: '85' }, 'Bang threshold must be a number, not a text (without the quotes)'],
  [{ bang_threshold: Number.NaN }, 'Bang threshold must be a number, not NaN'],
  [{ bang_threshold: null }, 'Bang threshold must be a number, not null; to go back to the inherited value, reset it'],
  [{ rsi_period: 14.5 }, 'RSI period must be a whole number, not 14.5'],
  [{ filters: { trend: { enable_trend_filter_for_entry: 1 } } }, 'Trend filter must be true or false, not a number'],
  [{ settings: 5 }, "'settings' must be an object with the names of its values, not a number"],
  [{ description: 'x'.repeat(501) }, 'Description must be a text of at most 500 characters'],
  [{ aim_threshold: 90 }, 'Aim threshold (90) must not be above bang threshold (80)'],
  [{ ema_fast_period: 21 }, 'EMA fast (21) must be below EMA slow (21)'],
  [
    { volatility_squeeze_threshold: 0.3, volatility_breakout_threshold: 1e-7 },
    'Volatility squeeze threshold (0.3) must not be above volatility breakout threshold (0.0000001)',
  ],
  [{ aim_treshold: 70 }, "Unknown name 'aim_treshold'; the nearest known name is 'aim_threshold'"],
  [
    { settings: { bang_threshold: 70 } },
    "Unknown name 'bang_threshold' in 'settings'; it is 'settings.state_threshold_bang'",
  ],
  [
    { settings: { state_threshold_bang: 90 }, bang_threshold: 91 },
    "'bang_threshold' stands for 'settings.state_threshold_bang', which the message sets as well",
  ],
  [{ settings: {} }, 'The message sets nothing; name at least one value, or reset the layer'],
  [[], 'A JSON object is needed, not a list'],
  [undefined, 'A JSON object is needed, not undefined'],
])('%j: %s', (config, sentence) => {
  expect(validateConfiguration(config)).toEqual([sentence])
})

test('a form that is still empty is not wrong, though there is nothing to send', () => {
  expect(validateConfiguration({})).toEqual([])
  expect(configurationProblems({})).toEqual([
    { path: '', message: 'The message sets nothing; name at least one value, or reset the layer' },
  ])
})

test('everything that is wrong is found at once, each with its path', () => {
  const weights = { ema_cross: 0, macd: 0, rsi: 0, bb_bounce: 0, bb_breakout: 0 }
  const config = {
    bang_threshold: 60,
    signal_weights: weights,
    filters: { levels: { levels_buffer_percent: 3 }, wrong: 1 },
  }
  expect(
    configurationProblems(config)
      .map(({ path }) => path)
      .sort(),
  ).toEqual([
    'filters.levels.levels_buffer_percent',
    'filters.wrong',
    'settings.state_threshold_bang',
    'signal_weights',
  ])
})

test('a broken rule is told at the value that is being set', () => {
  const paths = [{ bang_threshold: 60 }, { aim_threshold: 90 }, { aim_threshold: 90, bang_threshold: 85 }].map(
    (config) => configurationProblems(config).map(({ path }) => path),
  )
  expect(paths).toEqual([
    ['settings.state_threshold_bang'],
    ['settings.state_threshold_aim'],
    ['settings.state_threshold_aim'],
  ])
})

test('rules hold between what is set and what is in force', () => {
  const over = { settings: { state_threshold_bang: 95, state_threshold_aim: 92 } }
  expect(validateConfiguration({ aim_threshold: 94 }, { over })).toEqual([])
  expect(validateConfiguration({ bang_threshold: 90 }, { over })).toEqual([
    'Aim threshold (92) must not be above bang threshold (90)',
  ])
})

test('so many unknown names that they hide everything else are counted', () => {
  const names = Object.fromEntries(Array.from({ length: 23 }, (_, at) => [`wrong_${at}`, 1]))
  const messages = validateConfiguration({ ...names, bang_threshold: 105 })
  expect(messages.length).toEqual(22)
  expect(messages.slice(-2)).toEqual(['... and 3 more unknown names', 'Bang threshold must be between 0 and 100'])
})

test('a rulebook of a newer server is followed, also where it has kinds of values this package does not know', () => {
  const rulebook: Rulebook = {
    ...bundledRulebook,
    tunables: [
      ...bundledRulebook.tunables,
      { path: 'risk.most_trades', title: 'Most trades', kind: 'integer', default: 5, minimum: 0, maximum: 50 },
      { path: 'risk.mode', title: 'Mode', kind: 'choice', default: 'calm' },
    ],
  }
  expect(validateConfiguration({ risk: { most_trades: 51, mode: 'calm' } }, { rulebook })).toEqual([
    'Most trades must be between 0 and 50',
  ])
  expect(validateConfiguration({ most_trades: 5, mode: 'calm' }, { rulebook })).toEqual([])
})

test('a rulebook is read from a schema of any depth, whether its sections are named or written in place', () => {
  const mode = { type: 'string', enum: ['calm', 'bold'], default: 'calm', flat_name: 'risk_mode' }
  const most = {
    type: 'integer',
    title: 'Most trades',
    default: 5,
    minimum: 0,
    maximum: 50,
    hint: 'per day',
    flat_name: 'most',
  }
  const rulebook = rulebookOf({
    properties: { description: { type: 'string', maxLength: 99 }, risk: { $ref: '#/$defs/Risk' } },
    $defs: { Risk: { properties: { mode, limits: { properties: { most } } } } },
    'x-rules': [],
  })
  expect(rulebook).toEqual({
    longestDescription: 99,
    tunables: [
      { path: 'risk.mode', title: 'Mode', kind: 'choice', default: 'calm', flatName: 'risk_mode' },
      {
        path: 'risk.limits.most',
        title: 'Most trades',
        kind: 'integer',
        default: 5,
        minimum: 0,
        maximum: 50,
        hint: 'per day',
      },
    ],
    rules: [],
  })
})
