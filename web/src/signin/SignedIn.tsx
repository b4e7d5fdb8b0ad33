import { Button, Popover } from '@mantine/core'
import { IconUserCheck } from '@tabler/icons-react'
import { useState } from 'react'
import { ROLE_WORDS } from './roles.ts'
import classes from './SignedIn.module.css'
import { type Session, signOut } from './session.ts'

/** Name and role of the signed-in person, with a button to sign out. */
export function SignedIn({ name, role }: Pick<NonNullable<Session['signedIn']>, 'name' | 'role'>) {
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={300} trapFocus withArrow returnFocus>
      <Popover.Target>
        <button
          type="button"
          className={classes.button}
          aria-label={`Signed in as ${name}, ${role}`}
          title={`Signed in as ${name}, ${role}: ${ROLE_WORDS[role]}`}
          onClick={() => setOpen(!open)}
        >
          <IconUserCheck size={20} stroke={1.7} aria-hidden />
          <span className={classes.name}>{name}</span>
          <span className={classes.role}>{role}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <p className={classes.words}>
          You are <strong>{name}</strong>, the name of your token; your changes go into the history under it.
        </p>
        <p className={classes.words}>
          A <strong>{role}</strong> {ROLE_WORDS[role]}.
        </p>
        <Button size="xs" variant="default" onClick={signOut} data-autofocus>
          Sign out
        </Button>
      </Popover.Dropdown>
    </Popover>
  )
}
