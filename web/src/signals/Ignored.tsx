import classes from './Ignored.module.css'

/** What the address says wrongly. Without it one would take a list that is not narrowed for one that is. */
export function Ignored({ sentences }: { sentences: readonly string[] }) {
  if (sentences.length === 0) return null
  return (
    <p className={classes.ignored} role="status">
      <strong>Ignored in the address:</strong> {sentences.join('; ')}.
    </p>
  )
}
