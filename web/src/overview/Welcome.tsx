import { Button, CloseButton } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { fieldAddress } from './Blocker.tsx'
import classes from './Welcome.module.css'

const KEY = 'vivienne-welcomed'

/** Introduction to the page with one thing to try; shown until it is closed once. */
export function Welcome({ asset }: { asset: string }) {
  const [read, setRead] = useState(wasRead)
  if (read) return null
  const close = () => {
    remember()
    setRead(true)
  }
  return (
    <section className={`panel ${classes.welcome}`} aria-labelledby="welcome">
      <div>
        <h2 id="welcome">All assets, the most urgent first</h2>
        <p>
          A level says how clear the signal is: idle, loaded, aim, bang. The bar shows its confidence, the ticks show
          the thresholds of the levels. A lock names the filter that blocks an entry, and links to the value that would
          release it.
        </p>
        <p>
          Try it: lower the loaded threshold of {asset} below its confidence and save. The level changes at once, the
          history shows your change, and one click undoes it.
        </p>
        <Button
          component={Link}
          to={fieldAddress(asset, 'settings.state_threshold_loaded')}
          size="xs"
          onClick={remember}
        >
          Try it with {asset}
        </Button>
      </div>
      <CloseButton aria-label="Close this introduction" onClick={close} />
    </section>
  )
}

function wasRead(): boolean {
  try {
    return localStorage.getItem(KEY) !== null
  } catch {
    return true
  }
}

function remember(): void {
  try {
    localStorage.setItem(KEY, 'yes')
  } catch {
    // Without storage it is not shown again in the first place.
  }
}
