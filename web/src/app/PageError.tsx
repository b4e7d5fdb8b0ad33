import { Button } from '@mantine/core'
import { Link } from 'react-router'
import classes from './Message.module.css'

/** Error of a page that could not be shown, with advice; the frame around it stays. */
export function PageError({ error }: { error: unknown }) {
  const { title, advice } = isMissingCode(error)
    ? {
        title: 'This page could not be loaded',
        advice: 'The server did not deliver its code: it is down, or a newer dashboard was installed. Reload the page.',
      }
    : {
        title: 'This page failed',
        advice: 'No change was made, and the agent keeps running. Reload the page, or open another one.',
      }
  return (
    <div className={classes.message} role="alert">
      <h1>{title}</h1>
      <p>{advice}</p>
      <p>
        <code>{error instanceof Error ? error.message : String(error)}</code>
      </p>
      <div className={classes.actions}>
        <Button onClick={() => window.location.reload()}>Load again</Button>
        <Button component={Link} to="/" variant="default">
          To the overview
        </Button>
      </div>
    </div>
  )
}

function isMissingCode(error: unknown): boolean {
  return error instanceof TypeError && /module|import/i.test(error.message)
}
