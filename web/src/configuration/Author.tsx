import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { setAuthorName, useAuthorName } from '../app/author.ts'
import { useSession } from '../signin/session.ts'
import classes from './Review.module.css'

/** Under which name a change goes into the history. */
export function Author() {
  const { signedIn } = useSession()
  if (signedIn === null) return <GivenName />
  return (
    <p className={classes.author}>
      Goes into the history as <strong>{signedIn.name}</strong>.
    </p>
  )
}

function GivenName() {
  const name = useAuthorName()
  const [typed, setTyped] = useState<string | null>(null)
  if (typed !== null) {
    return (
      <TextInput
        label="Your name"
        description="Goes into the history with every change made in this browser."
        autoFocus
        maxLength={100}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setAuthorName(event.currentTarget.value)
        }}
      />
    )
  }
  return (
    <p className={classes.author}>
      Goes into the history as <strong>{name === '' ? 'anonymous' : name}</strong>.{' '}
      <Button size="compact-xs" variant="subtle" onClick={() => setTyped(name)}>
        {name === '' ? 'Give your name' : 'Other name'}
      </Button>
    </p>
  )
}
