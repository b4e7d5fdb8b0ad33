import { Button, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { VivienneError } from 'vivienne-client'
import { ROOT } from '../app/root.ts'
import { SchemeToggle } from '../app/SchemeToggle.tsx'
import { ROLE_WORDS } from './roles.ts'
import classes from './SignInPage.module.css'
import { type Session, signIn } from './session.ts'

/** A token as `vivienne token create` prints it. */
const WHOLE = /^viv_[\w-]{43}$/

/** One field, what goes into it, and where that comes from. */
export function SignInPage({ reason, former }: NonNullable<Session['shut']>) {
  const queries = useQueryClient()
  useEffect(() => {
    document.title = 'Sign in - Vivienne'
    // Data shown to one person is not for the next one.
    queries.clear()
  }, [queries])
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <span className={classes.name}>
          <img src={`${ROOT}/icon.svg`} alt="" width={24} height={24} />
          Vivienne
        </span>
        <SchemeToggle />
      </header>
      <main className={classes.main}>
        <h1>Sign in</h1>
        <p role="status" className={classes.reason} data-former={former ?? undefined}>
          {former === null ? `${reason}.` : `You were signed out, ${former}: ${lowered(reason)}. Your input is kept.`}
        </p>
        <TokenForm />
        <section className={classes.about} aria-labelledby="about-tokens">
          <h2 id="about-tokens">What is a token?</h2>
          <p>
            A token identifies you: the history shows your changes under its name. Its role decides what you may do:
          </p>
          <dl>
            {Object.entries(ROLE_WORDS).map(([role, words]) => (
              <div key={role}>
                <dt>{role}</dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
          <p>
            The operator of this server creates one on the machine of its database, or an admin over{' '}
            <code>/auth/tokens</code>:
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard */}
          <pre tabIndex={0}>vivienne token create ana --role tuner</pre>
          <p>The token is shown only once. This page keeps it in this tab until you sign out or close the tab.</p>
        </section>
      </main>
    </div>
  )
}

function TokenForm() {
  const field = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const [asking, setAsking] = useState(false)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (asking) return
    setAsking(true)
    setWrong(await attempt(typed.trim()))
    setAsking(false)
    field.current?.focus()
  }
  return (
    <form onSubmit={submit} className={classes.form} autoComplete="off">
      <TextInput
        ref={field}
        label="Token"
        type="password"
        size="md"
        placeholder="viv_..."
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        value={typed}
        error={wrong !== null && <span role="alert">{wrong}</span>}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setWrong(null)
        }}
      />
      <Button type="submit" size="md" loading={asking}>
        Sign in
      </Button>
    </form>
  )
}

/** Reason why a token is not accepted, as a sentence; null after signing in. */
async function attempt(token: string): Promise<string | null> {
  if (token === '') return 'Paste a token first.'
  if (!WHOLE.test(token)) return 'This is not a complete token: viv_, then 43 letters, digits, - or _.'
  try {
    await signIn(token)
    return null
  } catch (error) {
    return error instanceof VivienneError ? `${error.message}.` : String(error)
  }
}

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}
