import { IconChevronRight } from '@tabler/icons-react'
import { useId } from 'react'
import { type DraftSnapshot, fieldsOf, type SectionSpec } from 'vivienne-client/draft'
import { Field } from './Field.tsx'
import { useForm } from './FormContext.ts'
import { NoteField } from './NoteField.tsx'
import classes from './Section.module.css'
import { isOwn } from './Source.tsx'

interface SectionProps {
  section: SectionSpec
  fields: DraftSnapshot['fields']
  closed: ReadonlySet<string>
  setOpen(path: string, open: boolean): void
  depth?: number
}

/** A group of values that can be folded; folded, it still shows how many are changed, wrong or set here. */
export function Section({ section, fields, closed, setOpen, depth = 0 }: SectionProps) {
  const id = useId()
  const open = !closed.has(section.path)
  const Heading = depth === 0 ? 'h2' : 'h3'
  const values = section.fields.filter((field) => field.kind !== 'text')
  const notes = section.fields.filter((field) => field.kind === 'text')
  const title = section.path === '' ? 'Everything' : section.title
  return (
    <section className={classes.section} data-depth={depth} aria-labelledby={`${id}-title`}>
      <Heading className={classes.heading}>
        <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(section.path, !open)}>
          <IconChevronRight className={classes.chevron} size={16} aria-hidden />
          <span id={`${id}-title`}>{title}</span>
          <Counts section={section} fields={fields} />
        </button>
      </Heading>
      {open && (
        <div id={id} className={classes.content}>
          {section.description !== '' && <p className={classes.description}>{section.description}</p>}
          {values.map((spec) => {
            const state = fields[spec.path]
            return state && <Field key={spec.path} spec={spec} state={state} />
          })}
          {section.sections.map((inner) => (
            <Section
              key={inner.path}
              section={inner}
              fields={fields}
              closed={closed}
              setOpen={setOpen}
              depth={depth + 1}
            />
          ))}
          {notes.map((spec) => {
            const state = fields[spec.path]
            return state && <NoteField key={spec.path} spec={spec} state={state} section={title} />
          })}
        </div>
      )}
    </section>
  )
}

/** Numbers of fields in a section that are edited, wrong, changed elsewhere, or set by the layer itself. */
function Counts({ section, fields }: Pick<SectionProps, 'section' | 'fields'>) {
  const { layer } = useForm()
  const states = fieldsOf([section]).flatMap((spec) => fields[spec.path] ?? [])
  const counts = [
    { kind: 'wrong', count: states.filter((state) => state.error !== null).length, words: 'wrong' },
    { kind: 'conflict', count: states.filter((state) => state.conflict).length, words: 'changed elsewhere' },
    { kind: 'edited', count: states.filter((state) => state.typed !== undefined).length, words: 'edited' },
    { kind: 'own', count: states.filter((state) => isOwn(state, layer)).length, words: layer === null ? 'set' : 'own' },
  ]
  return (
    <span className={`${classes.counts} figure`}>
      {counts
        .filter(({ count }) => count > 0)
        .map(({ kind, count, words }) => (
          <span key={kind} data-kind={kind}>
            {count} {words}
          </span>
        ))}
    </span>
  )
}
