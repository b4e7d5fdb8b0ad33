import { ActionIcon, Kbd, Modal, Switch, Table } from '@mantine/core'
import { IconKeyboard } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import classes from './Shortcuts.module.css'
import { keyStep, setShortcutsOn, shortcutsOn, useShortcutsOn } from './shortcuts.ts'

const LIST = [
  ['g o', 'Overview'],
  ['g c', 'Configuration of all assets'],
  ['g h', 'History'],
  ['g l', 'Logs'],
  ['/', 'Go to the filter of the page'],
  ['?', 'These shortcuts'],
  ['Esc', 'Leave what is open'],
] as const

const OPEN = 'vivienne-shortcuts'

/** Listens to the keys of the frame, and shows what they are. */
export function Shortcuts() {
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const on = useShortcutsOn()

  useEffect(() => {
    const show = () => setOpen(true)
    window.addEventListener(OPEN, show)
    return () => window.removeEventListener(OPEN, show)
  }, [])

  useEffect(() => {
    let pressed: { key: string; at: number } | null = null
    const listen = (event: KeyboardEvent) => {
      if (!shortcutsOn() || isForSomethingElse(event)) return
      const waiting = pressed !== null && event.timeStamp - pressed.at < 1500 ? pressed.key : null
      const step = keyStep(waiting, event.key)
      pressed = step.waiting === null ? null : { key: step.waiting, at: event.timeStamp }
      if (step.action === null) return
      if (step.action === 'help') setOpen(true)
      else if (step.action === 'filter') {
        const filter = document.querySelector<HTMLElement>('[data-page-filter], main input[type="search"]')
        if (filter === null) return
        filter.focus()
      } else navigate(step.action.to)
      event.preventDefault()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [navigate])

  return (
    <Modal opened={open} onClose={() => setOpen(false)} title="Keyboard shortcuts" centered>
      <Table verticalSpacing={6}>
        <Table.Tbody>
          {LIST.map(([keys, meaning]) => (
            <Table.Tr key={keys}>
              <Table.Th scope="row" w={110}>
                {keys.split(' ').map((key) => (
                  <Kbd key={key} mr={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Th>
              <Table.Td>{meaning}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Switch
        mt="md"
        label="Shortcuts of one or two letters are on"
        checked={on}
        onChange={(event) => setShortcutsOn(event.currentTarget.checked)}
      />
    </Modal>
  )
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
