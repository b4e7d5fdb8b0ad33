import { expect, it } from 'vitest'
import type { FieldSpec, SectionSpec } from 'vivienne-client/draft'
import { found, matches, only, sectionsAround } from './filtering.ts'

const bang: FieldSpec = {
  path: 'settings.state_threshold_bang',
  title: 'Bang threshold',
  description: '',
  kind: 'number',
  flatName: 'bang_threshold',
}
const squeeze: FieldSpec = {
  path: 'filters.volatility.volatility_squeeze_threshold',
  title: 'Volatility squeeze threshold',
  description: '',
  kind: 'number',
}
const section = (path: string, fields: FieldSpec[], sections: SectionSpec[] = []): SectionSpec => ({
  path,
  title: path,
  description: '',
  fields,
  sections,
})
const form = [
  section('settings', [bang]),
  section('filters', [], [section('filters.volatility', [squeeze]), section('filters.trend', [])]),
]

it('finds a field by name, path or flat name, in any case and order of words', () => {
  const searches = ['bang', 'THRESHOLD bang', 'settings.state', 'bang_threshold', 'state threshold', '', 'squeeze']
  expect(searches.map((search) => matches(bang, search))).toEqual([true, true, true, true, true, true, false])
})

it('leaves out sections in which nothing is found', () => {
  expect(only(form, found(form, 'squeeze'))).toEqual([
    section('filters', [], [section('filters.volatility', [squeeze])]),
  ])
})

it('knows the sections around a field', () => {
  expect(sectionsAround(squeeze.path)).toEqual(['filters', 'filters.volatility'])
})
