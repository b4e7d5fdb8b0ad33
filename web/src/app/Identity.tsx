import { Button, Popover, TextInput } from '@mantine/core'
import { IconUserCircle } from '@tabler/icons-react'
import { useState } from 'react'
import { SignedIn } from '../signin/SignedIn.tsx'
import { useSession } from '../signin/session.ts'
import { setAuthorName, useAuthorName } from './author.ts'
import classes from './Identity.module.css'

/** Author of changes: the name of the token, or without tokens a name the person enters. */
export function Identity() {
  const { signedIn } = useSession()
  return signedIn === null ? <GivenName /> : <SignedIn name={signedIn.name} role={signedIn.role} />
}

/** A name that is not checked; it tells others whom to ask. */
function GivenName() {
  const name = useAuthorName()
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={300} trapFocus withArrow returnFocus>
      <Popover.Target>
        <button
          type="button"
          className={classes.button}
          data-nameless={name === '' || undefined}
          aria-label={name === '' ? 'Name for your changes' : `You are ${name}`}
          title={
            name === '' ? 'The history shows your changes without a name' : `The history shows your changes as ${name}`
          }
          onClick={() => setOpen(!open)}
        >
          <IconUserCircle size={20} stroke={1.7} aria-hidden />
          <span>{name === '' ? 'Who are you?' : name}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <NameForm key={String(open)} name={name} done={() => setOpen(false)} />
      </Popover.Dropdown>
    </Popover>
  )
}

function NameForm({ name, done }: { name: string; done: () => void }) {
  const [typed, setTyped] = useState(name)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setAuthorName(typed)
        done()
      }}
    >
      <TextInput
        label="Your name"
        description="Shown in the history with every change you make. Kept in this browser."
        value={typed}
        maxLength={100}
        autoComplete="nickname"
        data-autofocus
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <Button type="submit" size="xs" mt="sm">
        Keep it
      </Button>
    </form>
  )
}
