import { Link } from 'react-router'
import type { RevisionEntry } from 'vivienne-client'
import { alertActionWords, alertFieldTitle, alertValueWords, madeWords, ruleName } from './alertWords.ts'
import classes from './Revision.module.css'

/** What was done to a rule of alerts. */
export function AlertDone({ entry }: { entry: RevisionEntry }) {
  const name = ruleName(entry)
  const { action, alert_id: id = '' } = entry
  return (
    <>
      alert{' '}
      {action === 'alert_delete' ? (
        <strong>{name}</strong>
      ) : (
        <Link className={classes.layer} to={`/alerts?${new URLSearchParams({ rule: id })}`}>
          {name}
        </Link>
      )}{' '}
      {alertActionWords(entry)}
    </>
  )
}

/** What of the rule has changed, from what to what; of a new one, what it does. Secrets are masked. */
export function AlertChanged({ entry }: { entry: RevisionEntry }) {
  if (entry.action === 'alert_delete') return null
  const made = madeWords(entry)
  if (made !== null) return <p className={classes.same}>{made}</p>
  if (entry.changed.length === 0) return <p className={classes.same}>No value changed.</p>
  return (
    <ul className={classes.changed}>
      {entry.changed.map(({ path, old, new: now }) => {
        const [before, after] = [alertValueWords(path, old), alertValueWords(path, now)]
        return (
          <li key={path} title={path}>
            <span>{alertFieldTitle(path)}</span>{' '}
            <span>
              {before === after ? (
                'replaced'
              ) : (
                <>
                  <del>{before}</del> → <ins>{after}</ins>
                </>
              )}
            </span>
          </li>
        )
      })}
    </ul>
  )
}
