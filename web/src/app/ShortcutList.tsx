import { Kbd, Modal, Switch, Table } from '@mantine/core'
import { setShortcutsOn, useShortcutsOn } from './shortcuts.ts'

const LIST = [
  ['g o', 'Overview'],
  ['g g', 'Charts side by side'],
  ['g c', 'Configuration of all assets'],
  ['g s', 'Signals'],
  ['g u', 'Setups: what came of signals'],
  ['g e', 'Paper account and its equity'],
  ['g a', 'Alerts'],
  ['g h', 'History'],
  ['g l', 'Logs'],
  ['p a a', 'Pause all assets; the last key confirms, or holding it'],
  ['p t t', 'Pause this asset, on its page'],
  ['[ ]', 'Previous or next asset, on the page of an asset'],
  ['/', 'Go to the filter of the page'],
  ['?', 'These shortcuts'],
  ['Esc', 'Close the dialog or panel'],
] as const

interface ShortcutListProps {
  opened: boolean
  onClose(): void
}

/** The keys that do something everywhere, and the switch for them. */
export function ShortcutList({ opened, onClose }: ShortcutListProps) {
  const on = useShortcutsOn()
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" centered>
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
