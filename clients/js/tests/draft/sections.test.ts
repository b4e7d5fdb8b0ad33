import { describe, expect, it } from 'vitest'
import { defaultsOf, fieldsOf, formSections } from '../../src/draft/index.js'
import type { ConfigSchema } from '../../src/index.js'
import { schema } from './fixture.js'

const sections = formSections(schema)
const field = (path: string) => fieldsOf(sections).find((spec) => spec.path === path)

describe('a form made from a schema', () => {
  it('has a section for each section of the schema, at any depth', () => {
    const tree = (of: typeof sections): unknown[] => of.map(({ path, sections: inner }) => [path, tree(inner)])
    expect(tree(sections)).toEqual([
      ['settings', []],
      ['execution', [['execution.slices', [['execution.slices.limits', []]]]]],
      ['', []],
    ])
  })

  it('calls a section what the place it stands in calls it', () => {
    expect(sections.map(({ title }) => title)).toEqual(['Settings', 'Execution of orders', 'Configuration'])
    expect(sections[1]?.description).toBe('How orders are made.')
  })

  it('has a field for every value, in the order of the schema', () => {
    expect(fieldsOf(sections).map(({ path, kind }) => [path, kind])).toEqual([
      ['settings.description', 'text'],
      ['settings.high', 'number'],
      ['settings.low', 'number'],
      ['settings.bars', 'integer'],
      ['settings.enabled', 'boolean'],
      ['execution.kind', 'choice'],
      ['execution.cooldown', 'number'],
      ['execution.slices.limits.most_slices', 'integer'],
      ['description', 'text'],
    ])
  })

  it('says of a number what it counts, its bounds and its step', () => {
    expect(field('settings.high')).toEqual({
      path: 'settings.high',
      title: 'High',
      description: '',
      kind: 'number',
      unit: 'percent',
      step: 1,
      minimum: 0,
      maximum: 100,
      default: 80,
      flatName: 'high_threshold',
    })
    expect(field('settings.low')?.hint).toBe('not a fraction')
  })

  it('offers the choices of an enumeration', () => {
    expect(field('execution.kind')?.choices).toEqual(['market', 'limit'])
  })

  it('gives a value without a title the words of its name', () => {
    expect(field('execution.slices.limits.most_slices')?.title).toBe('Most slices')
  })

  it('sees through a value that may be null', () => {
    expect(field('execution.cooldown')).toMatchObject({ kind: 'number', minimum: 0, default: 1.5 })
  })

  it('ends where a schema refers to itself', () => {
    const looped = {
      properties: { inner: { $ref: '#/$defs/Inner' }, same: { $ref: '#/$defs/Same' } },
      $defs: {
        Inner: { properties: { inner: { $ref: '#/$defs/Inner' }, size: { type: 'number' } } },
        Same: { $ref: '#/$defs/Same' },
      },
      'x-rules': [],
    } as unknown as ConfigSchema
    expect(fieldsOf(formSections(looped)).map(({ path }) => path)).toContain('inner.inner.size')
  })

  it('knows what is in force where no layer sets anything', () => {
    expect(defaultsOf(sections)).toEqual({
      settings: { description: 'As delivered.', high: 80, low: 50, bars: 9, enabled: true },
      execution: { kind: 'market', cooldown: 1.5, slices: { limits: { most_slices: 4 } } },
    })
  })
})
