import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConfigDraft } from '../../src/draft/index.js'
import { leaves, type PartialConfiguration } from '../../src/index.js'
import { acknowledged, defaults, draftOver, inForce, typedIn } from './fixture.js'

const PATHS = ['settings.high', 'settings.low', 'settings.bars', 'execution.slices.limits.most_slices']
const path = fc.constantFrom(...PATHS)
const value = fc.integer({ min: 0, max: 5 })
const values = fc.dictionary(path, value)
const typed = fc.oneof(value, value.map(String), fc.constantFrom('', '-', '1.', '0.50'))
const errors = fc.array(fc.record({ path: fc.oneof(path, fc.constant('')), message: fc.constant('no') }), {
  maxLength: 2,
})

/** What can happen to a draft, by who does it. */
type Step =
  | { readonly by: 'world'; readonly values: Record<string, number> }
  | { readonly by: 'person'; readonly does: 'set'; readonly path: string; readonly typed: number | string }
  | { readonly by: 'person'; readonly does: 'revert' | 'keepMine' | 'takeTheirs'; readonly path: string }
  | {
      readonly by: 'server'
      readonly does: 'submitted' | 'saved' | 'refused'
      readonly errors: { path: string; message: string }[]
    }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ by: fc.constant('world' as const), values }) },
  {
    weight: 3,
    arbitrary: fc.record({ by: fc.constant('person' as const), does: fc.constant('set' as const), path, typed }),
  },
  fc.record({
    by: fc.constant('person' as const),
    does: fc.constantFrom('revert' as const, 'keepMine' as const, 'takeTheirs' as const),
    path,
  }),
  fc.record({
    by: fc.constant('server' as const),
    does: fc.constantFrom('submitted' as const, 'saved' as const, 'refused' as const),
    errors,
  }),
)

/** A draft with the world around it. */
class Play {
  readonly draft: ConfigDraft = draftOver()
  world: Record<string, unknown> = {}
  version = 1
  sent: PartialConfiguration | null = null
  /** What was typed where it was sent from. */
  leaving: Record<string, unknown> = {}

  take(step: Step): void {
    if (step.by === 'world') {
      this.world = step.values
      this.draft.receive(inForce(this.world, ++this.version), defaults)
    } else if (step.by === 'person') {
      if (step.does === 'set') this.draft.set(step.path, step.typed)
      else this.draft[step.does](step.path)
    } else if (step.does === 'submitted') {
      this.sent = this.draft.submitted()
      const typed = typedIn(this.draft)
      this.leaving = Object.fromEntries(Object.keys(leaves(this.sent)).map((at) => [at, typed[at]]))
    } else if (step.does === 'refused') {
      this.draft.refused(step.errors)
      this.sent = null
    } else if (this.sent !== null) {
      this.draft.saved(acknowledged(this.sent, this.world, ++this.version))
      this.world = { ...this.world, ...leaves(this.sent) }
      this.sent = null
    }
  }
}

const runs = fc.array(step, { minLength: 1, maxLength: 40 })

describe('whatever happens, in whatever order', () => {
  it('what is typed changes only by what the person does', () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const play = new Play()
        for (const step of steps) {
          const before = typedIn(play.draft)
          const sent = play.sent
          play.take(step)
          const after = typedIn(play.draft)
          if (step.by === 'world') expect(after).toEqual(before)
          if (step.by === 'person') {
            const others = (all: Record<string, unknown>) => ({ ...all, [step.path]: undefined })
            expect(others(after)).toEqual(others(before))
          }
          if (step.by === 'server') {
            // An edit may be over when it was saved, or says what is in force; it never becomes another one.
            for (const [at, text] of Object.entries(before)) {
              const over = !(at in after)
              if (!over) expect(after[at]).toBe(text)
              else expect(Number(text)).toBe(play.draft.getSnapshot().fields[at]?.value)
            }
            if (step.does === 'submitted') expect(after).toEqual(before)
            if (step.does === 'saved' && sent !== null) {
              for (const [at, text] of Object.entries(play.leaving))
                if (before[at] === text) expect(after).not.toHaveProperty([at])
            }
            expect(Object.keys(before)).toEqual(expect.arrayContaining(Object.keys(after)))
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('the document says what was typed and differs, and the conflicts are those of the fields', () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const play = new Play()
        for (const step of steps) {
          play.take(step)
          const snapshot = play.draft.getSnapshot()
          expect(play.draft.getSnapshot()).toBe(snapshot)
          const fields = Object.values(snapshot.fields)
          const different = fields.filter(
            ({ typed, value }) => typed !== undefined && /^\d+\.?\d*$/.test(`${typed}`) && Number(typed) !== value,
          )
          expect(leaves(snapshot.document)).toEqual(
            Object.fromEntries(different.map(({ path, typed }) => [path, Number(typed)])),
          )
          expect(snapshot.conflicts).toEqual(fields.filter(({ conflict }) => conflict).map(({ path }) => path))
          for (const { typed, conflict, value, base } of fields) {
            if (conflict) expect([typed !== undefined, value === base]).toEqual([true, false])
          }
          if (snapshot.savable) expect(snapshot).toMatchObject({ dirty: true, problems: [], conflicts: [] })
        }
      }),
      { numRuns: 300 },
    )
  })

  it('a conflict that was decided is none', () => {
    fc.assert(
      fc.property(runs, path, fc.boolean(), (steps, at, mine) => {
        const play = new Play()
        for (const step of steps) play.take(step)
        const before = play.draft.getSnapshot().fields[at]
        if (mine) play.draft.keepMine(at)
        else play.draft.takeTheirs(at)
        const after = play.draft.getSnapshot().fields[at]
        expect(after?.conflict).toBe(false)
        expect(after?.typed).toBe(mine ? before?.typed : undefined)
      }),
      { numRuns: 200 },
    )
  })
})
