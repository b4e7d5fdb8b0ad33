import { notifications } from '@mantine/notifications'
import type { VivienneClient } from 'vivienne-client'
import { MadeNotice } from './MadeNotice.tsx'
import { type MadeChange, rememberMade, undo } from './madeChange.ts'

/** Duration of a notification about a change, in ms; the panel of the layer keeps showing it. */
const STAYS = 15_000

/** Say that a change is in force, with the way back. */
export function announce(client: VivienneClient, change: MadeChange): void {
  const former = rememberMade(change)
  // It is not in force any more.
  if (former !== undefined) notifications.hide(idOf(former))
  notifications.show({
    id: idOf(change),
    title: `Version ${change.version} in force`,
    message: <MadeNotice change={change} takeBack={() => takeBack(client, change)} />,
    autoClose: STAYS,
    withBorder: true,
    color: 'var(--v-good)',
  })
}

/** Undo a change, and say so. */
export async function takeBack(client: VivienneClient, change: MadeChange): Promise<void> {
  announce(client, await undo(client, change))
}

function idOf({ version }: MadeChange): string {
  return `version-${version}`
}
