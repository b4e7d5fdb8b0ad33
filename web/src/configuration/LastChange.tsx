import { CloseButton } from '@mantine/core'
import { IconCircleCheck } from '@tabler/icons-react'
import type { VivienneClient } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { Age } from '../parts/Age.tsx'
import classes from './LastChange.module.css'
import { MadeNotice } from './MadeNotice.tsx'
import { dismissMade, type MadeChange, useMade } from './madeChange.ts'

/** The last change made from this page, in force, with one click to take it back; until it is dismissed. */
export function LastChange({ layer, version }: { layer: string | null; version: number | null }) {
  const client = useVivienneClient()
  const change = useMade(layer)
  if (change === undefined) return null
  const newer = version !== null && version > change.version
  return (
    <div className={classes.last} role="status">
      <IconCircleCheck className={classes.icon} size={18} aria-hidden />
      <div className={classes.words}>
        <strong>
          {newer
            ? `Version ${change.version} was saved; version ${version} is in force now`
            : `Version ${change.version} in force`}
        </strong>{' '}
        <span className={classes.age}>
          <Age time={change.at} />
        </span>
        <div>
          <MadeNotice key={change.version} change={change} takeBack={() => takeBack(client, change)} />
        </div>
      </div>
      <CloseButton size="sm" aria-label="Dismiss" onClick={() => dismissMade(layer)} />
    </div>
  )
}

/** Undo a change. Its announcement has loaded the code already. */
async function takeBack(client: VivienneClient, change: MadeChange): Promise<void> {
  const announcing = await import('./announce.tsx')
  await announcing.takeBack(client, change)
}
