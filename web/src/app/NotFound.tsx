import { Button } from '@mantine/core'
import { Link, useLocation } from 'react-router'
import classes from './Message.module.css'

/** For addresses that lead nowhere. */
export function NotFound() {
  const { pathname } = useLocation()
  return (
    <div className={classes.message}>
      <h1>Page not found</h1>
      <p>
        The dashboard has no page at <code>{pathname}</code>. Assets are at <code>/assets/BTC</code>; everything else is
        in the navigation.
      </p>
      <Button component={Link} to="/">
        To the overview
      </Button>
    </div>
  )
}
