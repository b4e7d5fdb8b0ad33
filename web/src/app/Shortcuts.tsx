import { ActionIcon } from '@mantine/core'
import { IconKeyboard } from '@tabler/icons-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { PauseArmed } from '../pausing/PauseArmed.tsx'
import { canPress, pressPause } from '../pausing/PauseControl.tsx'
import { loaded } from './code.ts'
import classes from './Shortcuts.module.css'
import { type Begun, CONFIRM_MS, keyStep, shortcutsOn } from './shortcuts.ts'

const ShortcutList = lazy(async () => ({ default: (await loaded(() => import('./ShortcutList.tsx'))).ShortcutList }))

const OPEN = 'vivienne-shortcuts'

/** Listens to the keys of the frame, and shows what they are. */
export function Shortcuts() {
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const [asked, setAsked] = useState(false)
  const [armed, setArmed] = useArmed()
  if (open && !asked) setAsked(true)

  useEffect(() => {
    const show = () => setOpen(true)
    window.addEventListener(OPEN, show)
    return () => window.removeEventListener(OPEN, show)
  }, [])

  useEffect(() => {
    let begun: Begun | null = null
    const listen = (event: KeyboardEvent) => {
      if (!shortcutsOn() || isForSomethingElse(event)) return
      const step = keyStep(begun, event)
      begun = step.begun
      if (begun?.keys.length !== 2) setArmed(null)
      if (step.action === null) return
      if (step.action === 'help') setOpen(true)
      else if (step.action === 'filter') {
        const filter = document.querySelector<HTMLElement>('[data-page-filter], main input[type="search"]')
        if (filter === null) return
        filter.focus()
      } else if ('arm' in step.action) {
        if (!canPress(step.action.arm)) return
        setArmed({ key: step.action.arm, at: event.timeStamp })
      } else if ('pause' in step.action) {
        if (!pressPause(step.action.pause)) return
      } else navigate(step.action.to)
      event.preventDefault()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [navigate, setArmed])

  return (
    <>
      {armed !== null && <PauseArmed key={armed.at} letter={armed.key} />}
      {asked && (
        <Suspense>
          <ShortcutList opened={open} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

/** A pause that its key confirms, until the time for it is over. */
function useArmed() {
  const [armed, setArmed] = useState<{ key: string; at: number } | null>(null)
  useEffect(() => {
    if (armed === null) return
    const timer = setTimeout(() => setArmed(null), CONFIRM_MS)
    return () => clearTimeout(timer)
  }, [armed])
  return [armed, setArmed] as const
}

export function ShortcutsButton() {
  return (
    <ActionIcon
      className={classes.button ?? ''}
      variant="subtle"
      color="gray"
      size="lg"
      aria-label="Keyboard shortcuts"
      title="Keyboard shortcuts (?)"
      onClick={() => window.dispatchEvent(new Event(OPEN))}
    >
      <IconKeyboard size={20} />
    </ActionIcon>
  )
}

/** Keys that are typed into a field, belong to the browser, or are meant for a dialog. */
function isForSomethingElse(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true
  const { target } = event
  const typing =
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest('input:not([type="radio"], [type="checkbox"]), textarea, select, [role="textbox"]') !== null)
  return typing || document.querySelector('[role="dialog"][aria-modal="true"]') !== null
}
