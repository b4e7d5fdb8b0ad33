import { Button, CloseButton } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { fieldAddress } from './Blocker.tsx'
import classes from './Welcome.module.css'

const KEY = 'vivienne-welcomed'

/** What the page is for and the one thing to try; until it was read once. */
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
        <h2 id="welcome">This is every asset, the one that is about to fire first</h2>
        <p>
          A level says how clear the signal is: idle, loaded, aim, bang. The bar is its confidence, the ticks are the
          thresholds of the levels. A lock names the filter that holds an entry back, and leads to the value that would
          let it go.
        </p>
        <p>
          One thing to try: lower the loaded threshold of {asset} below its confidence and save. The level follows at
          once, the history says it was you, and one step takes it back.
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
      <CloseButton aria-label="Close, I have read it" onClick={close} />
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
