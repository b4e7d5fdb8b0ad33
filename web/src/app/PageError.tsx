import { Button } from '@mantine/core'
import { Link } from 'react-router'
import classes from './Message.module.css'

/** A page that could not be shown says so, and what can be done; the frame around it goes on. */
export function PageError({ error }: { error: unknown }) {
  const { title, advice } = isMissingCode(error)
    ? {
        title: 'This page could not be loaded',
        advice:
          'The server did not give its code: it is down, or a newer dashboard has taken its place. Load it again.',
      }
    : {
        title: 'This page has a defect',
        advice: 'Nothing was changed by it, and the agent goes on. Load the page again, or go on elsewhere.',
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
