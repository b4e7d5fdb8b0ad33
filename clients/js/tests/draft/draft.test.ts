import { describe, expect, it, vi } from 'vitest'
import { createConfigDraft, rulebookOf } from '../../src/draft/index.js'
import { VivienneError } from '../../src/index.js'
import { acknowledged, defaults, draftOver, inForce, laid, schema, sections, typedIn } from './fixture.js'

const HIGH = 'settings.high'
const LOW = 'settings.low'

describe('typing', () => {
  it('makes a document of what was changed, and of nothing else', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.set('execution.slices.limits.most_slices', 5)
    expect(draft.getSnapshot().document).toEqual({
      settings: { high: 85 },
      execution: { slices: { limits: { most_slices: 5 } } },
    })
    expect(draft.getSnapshot().changed).toEqual([
      { path: HIGH, old: 80, new: 85 },
      { path: 'execution.slices.limits.most_slices', old: 4, new: 5 },
    ])
  })

  it('can be saved once something is different, and not before', () => {
    const draft = draftOver()
    expect(draft.getSnapshot()).toMatchObject({ dirty: false, savable: false, version: 1 })
    draft.set(HIGH, 85)
    expect(draft.getSnapshot()).toMatchObject({ dirty: true, savable: true })
  })

  it('ends where the value in force is typed back', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.set(HIGH, 80)
    expect(draft.getSnapshot()).toMatchObject({ dirty: false, document: {} })
    expect(draft.getSnapshot().fields[HIGH]).not.toHaveProperty('typed')
  })

  it('keeps a text on its way to a number as it stands, also where it reads as the value in force', () => {
    const draft = draftOver({ 'execution.cooldown': 0.01 })
    draft.set('execution.cooldown', '0.010')
    expect(typedIn(draft)).toEqual({ 'execution.cooldown': '0.010' })
    expect(draft.getSnapshot()).toMatchObject({ dirty: false, savable: false })
    draft.set('execution.cooldown', '0.0105')
    expect(draft.getSnapshot().document).toEqual({ execution: { cooldown: 0.0105 } })
  })

  it.each(['', '-', '1e', 'abc', '0x10', 'Infinity', '1,5,2', Number.NaN])(
    'says that %o is no number, and keeps it',
    (text) => {
      const draft = draftOver()
      draft.set(HIGH, text)
      draft.set('settings.bars', text)
      const { fields, document, dirty, savable } = draft.getSnapshot()
      expect(fields[HIGH]).toMatchObject({ typed: text, error: 'High must be a number' })
      expect(fields['settings.bars']?.error).toBe('Bars must be a whole number')
      expect({ document, dirty, savable }).toEqual({ document: {}, dirty: true, savable: false })
    },
  )

  it('reads a decimal comma, and refuses a comma that may stand between thousands', () => {
    const draft = draftOver()
    draft.set(HIGH, '91,5')
    expect(draft.getSnapshot().document).toEqual({ settings: { high: 91.5 } })
    draft.set(HIGH, '1,234')
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({
      typed: '1,234',
      error: 'High must be clear: “1,234” can mean 1234 or 1.234; type one of them',
    })
  })

  it('says what the server would say about a number out of bounds', () => {
    const draft = draftOver()
    draft.set(LOW, 120)
    draft.set('settings.bars', 2.5)
    const { fields, problems, savable } = draft.getSnapshot()
    expect(fields[LOW]?.error).toBe('Low must be between 0 and 100 (not a fraction)')
    expect(fields['settings.bars']?.error).toBe('Bars must be a whole number, not 2.5')
    expect(problems.map(({ path }) => path)).toEqual([LOW, 'settings.bars'])
    expect(savable).toBe(false)
  })

  it('checks rules between values against what is in force', () => {
    const draft = draftOver({ [HIGH]: 60 })
    draft.set(LOW, 70)
    expect(draft.getSnapshot().fields[LOW]?.error).toBe('Low (70) must not be above high (60)')
    draft.receive(inForce({ [HIGH]: 75 }, 2), defaults)
    expect(draft.getSnapshot()).toMatchObject({ problems: [], savable: true })
  })

  it('does not blame a field for a rule whose other side is still being typed', () => {
    const draft = draftOver()
    draft.set(HIGH, '')
    draft.set(LOW, 90)
    expect(draft.getSnapshot().problems).toEqual([{ path: HIGH, message: 'High must be a number' }])
  })

  it('takes only what an enumeration offers, and only so much text', () => {
    const draft = draftOver()
    draft.set('execution.kind', 'stop')
    draft.set('settings.description', 'x'.repeat(21))
    const { fields } = draft.getSnapshot()
    expect(fields['execution.kind']?.error).toBe('Kind of order must be one of market, limit')
    expect(fields['settings.description']?.error).toBe('Description must be a text of at most 20 characters')
    draft.revert('settings.description')
    draft.set('execution.kind', 'limit')
    expect(draft.getSnapshot()).toMatchObject({ savable: true, problems: [] })
    draft.set('settings.description', 'short')
    expect(draft.getSnapshot()).toMatchObject({
      savable: true,
      document: { settings: { description: 'short' }, execution: { kind: 'limit' } },
    })
  })

  it('of a note that is not there yet nothing is left when it is emptied again', () => {
    const draft = draftOver()
    draft.set('description', 'mine')
    expect(draft.getSnapshot().document).toEqual({ description: 'mine' })
    draft.set('description', '')
    expect(draft.getSnapshot().dirty).toBe(false)
  })

  it('is taken back field by field, or all at once', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.set(LOW, 40)
    draft.set('settings.enabled', false)
    draft.revert(HIGH)
    expect(typedIn(draft)).toEqual({ [LOW]: 40, 'settings.enabled': false })
    draft.revertAll()
    expect(draft.getSnapshot().dirty).toBe(false)
  })

  it('into a field that does not exist is an error that names it', () => {
    expect(() => draftOver().set('settings.heigh', 1)).toThrow(VivienneError)
    expect(() => draftOver().set('settings.heigh', 1)).toThrow(/'settings.heigh'/)
  })
})

describe('a change from elsewhere', () => {
  it('shows in fields that are not edited', () => {
    const draft = draftOver()
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    expect(draft.getSnapshot()).toMatchObject({ version: 2, conflicts: [] })
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ value: 90, source: 'asset', conflict: false })
  })

  it('leaves an edit of another field alone', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.receive(inForce({ [LOW]: 40 }, 2), defaults)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], savable: true, document: { settings: { high: 85 } } })
  })

  it('of the edited field is a conflict that shows both values and keeps the edit', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [HIGH], savable: false, dirty: true })
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ value: 90, typed: 85, base: 80, conflict: true })
  })

  it('stays a conflict while one goes on typing', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    draft.set(HIGH, 86)
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ value: 90, typed: 86, base: 80, conflict: true })
  })

  it('is overwritten after keeping what was typed', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    draft.keepMine(HIGH)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], savable: true, changed: [{ old: 90, new: 85 }] })
  })

  it('wins after taking it', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    draft.takeTheirs(HIGH)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], dirty: false })
    expect(draft.getSnapshot().fields[HIGH]?.value).toBe(90)
  })

  it('while the page was away is a conflict once the edit is resumed', () => {
    const resumed = draftOver({ [HIGH]: 90 })
    resumed.resume(HIGH, 85, 80)
    expect(resumed.getSnapshot()).toMatchObject({ conflicts: [HIGH], savable: false })
    expect(resumed.getSnapshot().fields[HIGH]).toMatchObject({ value: 90, typed: 85, base: 80, conflict: true })
  })

  it('while the page was away is a conflict too where the edit is resumed before anything is known', () => {
    const draft = createConfigDraft({ sections, rulebook: rulebookOf(schema), layer: 'asset' })
    draft.resume(HIGH, 85, 80)
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [HIGH] })
  })

  it('to the very value that is resumed ends the edit', () => {
    const draft = draftOver({ [HIGH]: 85 })
    draft.resume(HIGH, 85, 80)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], dirty: false })
    expect(typedIn(draft)).toEqual({})
  })

  it('to the very value that was typed is nothing to decide and nothing to save', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.receive(inForce({ [HIGH]: 85 }, 2), defaults)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], changed: [], dirty: false })
    expect(typedIn(draft)).toEqual({ [HIGH]: 85 })
  })

  it('that is made back is no conflict any more', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    draft.receive(inForce({}, 3), defaults)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], savable: true })
  })

  it('comes a thousand times while something is typed, and what is typed stays', () => {
    const draft = draftOver()
    draft.set(HIGH, '8')
    for (let version = 2; version < 1002; version++) draft.receive(inForce({ [LOW]: version % 50 }, version), defaults)
    expect(typedIn(draft)).toEqual({ [HIGH]: '8' })
    expect(draft.getSnapshot()).toMatchObject({ version: 1001, conflicts: [] })
  })

  it('that was known only after the typing began is no conflict', () => {
    const draft = createConfigDraft({ sections, rulebook: rulebookOf(schema), layer: 'asset' })
    draft.set(HIGH, 85)
    expect(draft.getSnapshot()).toMatchObject({ version: null, dirty: true })
    draft.receive(inForce(), defaults)
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], changed: [{ path: HIGH, old: 80, new: 85 }] })
  })
})

describe('a reset', () => {
  it('of a value of the asset gives what all assets have', () => {
    const draft = draftOver()
    draft.receive(inForce({ [HIGH]: 90 }, 2), laid({ [HIGH]: 70 }))
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ source: 'asset', inherits: 70, inheritsFrom: 'global' })
    expect(draft.getSnapshot().fields[LOW]).toMatchObject({ source: 'default', inherits: 50, inheritsFrom: 'default' })
  })

  it('tells a default from the same value set for all assets', () => {
    const draft = draftOver()
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults, { [HIGH]: 'global' })
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ inherits: 80, inheritsFrom: 'global' })
    draft.receive(inForce({ [HIGH]: 90 }, 2), defaults)
    expect(draft.getSnapshot().fields[HIGH]?.inheritsFrom).toBe('default')
  })

  it('of a value of all assets gives the default', () => {
    const draft = createConfigDraft({ sections, rulebook: rulebookOf(schema), layer: 'global' })
    draft.receive({ ...inForce({ [HIGH]: 90 }), asset_symbol: null, sources: { [HIGH]: 'global' } }, defaults)
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ source: 'global', inherits: 80, inheritsFrom: 'default' })
  })
})

describe('saving', () => {
  it('ends the edits that were sent', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.saved(acknowledged(draft.submitted()))
    expect(draft.getSnapshot()).toMatchObject({ dirty: false, version: 2 })
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ value: 85, source: 'asset' })
    expect(typedIn(draft)).toEqual({})
  })

  it('leaves alone what was typed meanwhile, in the same field and in others', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    const sent = draft.submitted()
    draft.set(HIGH, 87)
    draft.set(LOW, 40)
    draft.saved(acknowledged(sent))
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], document: { settings: { high: 87, low: 40 } } })
    expect(draft.getSnapshot().fields[HIGH]).toMatchObject({ value: 85, typed: 87, base: 85 })
  })

  it('does not lose a value that was typed back while the edit was on its way', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    const sent = draft.submitted()
    draft.set(HIGH, 80)
    draft.saved(acknowledged(sent))
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], changed: [{ path: HIGH, old: 85, new: 80 }] })
  })

  it('forgets a value that was typed back when the saving fails', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.submitted()
    draft.set(HIGH, 80)
    draft.refused([])
    expect(typedIn(draft)).toEqual({})
  })

  it('is no conflict when the own change is seen in force before it is acknowledged', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    const sent = draft.submitted()
    draft.set(HIGH, 87)
    draft.receive(inForce({ [HIGH]: 85 }, 2), defaults)
    expect(draft.getSnapshot().conflicts).toEqual([])
    draft.saved(acknowledged(sent))
    expect(draft.getSnapshot()).toMatchObject({ conflicts: [], document: { settings: { high: 87 } } })
  })

  it('does not go back behind a newer change that is known already', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    const sent = draft.submitted()
    draft.receive(inForce({ [HIGH]: 85, [LOW]: 30 }, 3), defaults)
    draft.saved(acknowledged(sent, {}, 2))
    expect(draft.getSnapshot()).toMatchObject({ version: 3, dirty: false })
    expect(draft.getSnapshot().fields[LOW]?.value).toBe(30)
  })

  it('shows what the server refused beside the field until that field is edited again', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.submitted()
    draft.refused([{ path: HIGH, message: 'ETH: High (85) is too much', asset: 'ETH' }])
    expect(draft.getSnapshot().fields[HIGH]?.error).toBe('ETH: High (85) is too much')
    expect(draft.getSnapshot().savable).toBe(false)
    draft.receive(inForce({ [LOW]: 40 }, 2), defaults)
    draft.set(LOW, 41)
    expect(draft.getSnapshot().fields[HIGH]?.error).toBe('ETH: High (85) is too much')
    draft.set(HIGH, 84)
    expect(draft.getSnapshot()).toMatchObject({ problems: [], savable: true })
  })

  it('tells once what the server has told and is found while typing as well', () => {
    const draft = draftOver()
    draft.set(LOW, 70)
    draft.submitted()
    const refusal = { path: LOW, message: 'Low (70) must not be above high (60)' }
    draft.refused([refusal])
    draft.receive(inForce({ [HIGH]: 60 }, 2), defaults)
    expect(draft.getSnapshot().problems).toEqual([refusal])
  })

  it('shows what was refused at no edited field until anything is edited', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.submitted()
    draft.refused([
      { path: '', message: 'Not now' },
      { path: LOW, message: 'Low is in the way' },
    ])
    expect(draft.getSnapshot().problems.map(({ message }) => message)).toEqual(['Low is in the way', 'Not now'])
    expect(draft.getSnapshot().fields[LOW]?.error).toBe('Low is in the way')
    draft.set(HIGH, 84)
    expect(draft.getSnapshot()).toMatchObject({ problems: [], savable: true })
  })

  it('forgets what was refused when everything is taken back', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.submitted()
    draft.refused([{ path: HIGH, message: 'no' }])
    draft.revertAll()
    expect(draft.getSnapshot().problems).toEqual([])
  })

  it('is over when it was refused: the value in force typed back ends the edit', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.submitted()
    draft.refused([])
    draft.set(HIGH, 80)
    expect(typedIn(draft)).toEqual({})
  })

  it('keeps what was typed when it was refused', () => {
    const draft = draftOver()
    draft.set(HIGH, 85)
    draft.submitted()
    draft.refused([{ path: HIGH, message: 'no' }])
    expect(typedIn(draft)).toEqual({ [HIGH]: 85 })
  })
})

describe('a snapshot', () => {
  it('is the same object until something is different', () => {
    const draft = draftOver()
    const before = draft.getSnapshot()
    draft.receive(inForce(), defaults)
    expect(draft.getSnapshot()).toBe(before)
    draft.set(HIGH, 85)
    expect(draft.getSnapshot()).not.toBe(before)
  })

  it('keeps the fields that did not change', () => {
    const draft = draftOver()
    const before = draft.getSnapshot()
    draft.set(HIGH, 85)
    const after = draft.getSnapshot()
    expect(after.fields[LOW]).toBe(before.fields[LOW])
    expect(after.fields[HIGH]).not.toBe(before.fields[HIGH])
    expect(before.fields[HIGH]).not.toHaveProperty('typed')
  })

  it('is told of once for each difference, and not when there is none', () => {
    const draft = draftOver()
    const listener = vi.fn()
    const end = draft.subscribe(listener)
    draft.set(HIGH, 85)
    draft.receive(inForce(), defaults)
    draft.revert(LOW)
    expect(listener).toHaveBeenCalledTimes(1)
    end()
    draft.set(HIGH, 86)
    expect(listener).toHaveBeenCalledTimes(1)
  })
})
