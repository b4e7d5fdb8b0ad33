import type { RevisionEntry } from 'vivienne-client'
import { titleOf, useFieldSpecs } from '../configuration/fields.ts'
import { valueWords } from '../configuration/reading.ts'
import classes from './Revision.module.css'

/** Number of values of a change that are said before it is opened. */
const SAID = 3

/** What a change changed, from what to what. */
export function Changed({ entry, all }: { entry: RevisionEntry; all: boolean }) {
  const specs = useFieldSpecs()
  if (entry.changed.length === 0) return <p className={classes.same}>No value in force changed.</p>
  const said = all ? entry.changed : entry.changed.slice(0, SAID)
  const more = entry.changed.length - said.length
  return (
    <ul className={classes.changed}>
      {said.map((change) => {
        const spec = specs.get(change.path)
        return (
          <li key={change.path} title={change.path}>
            <span>{titleOf(specs, change.path)}</span>{' '}
            <span className="figure">
              <del>{valueWords(undefined, change.old)}</del> → <ins>{valueWords(spec, change.new)}</ins>
            </span>
          </li>
        )
      })}
      {more > 0 && <li className={classes.more}>and {more} more</li>}
    </ul>
  )
}
