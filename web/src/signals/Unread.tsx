import failure from '../configuration/Failure.module.css'

/** The record could not be read, in the words of the server. */
export function Unread({ error }: { error: Error | null }) {
  if (error === null) return null
  return (
    <div className={failure.failure} data-kind="calm" role="status">
      <strong>The record could not be read</strong>
      <p>{error.message}</p>
    </div>
  )
}
