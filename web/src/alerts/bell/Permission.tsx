import { Button } from '@mantine/core'
import classes from './Bell.module.css'
import { askPermission, permissionWords, usePermission } from './notification.ts'

/** Whether this browser shows notifications, and the button that asks for them; nothing where it does. */
export function Permission() {
  const now = usePermission()
  const words = permissionWords(now)
  if (words === null) return null
  return (
    <div className={classes.permission}>
      <span>{words}</span>
      {now === 'default' && (
        <Button size="compact-xs" onClick={() => void askPermission()}>
          Show notifications here
        </Button>
      )}
    </div>
  )
}
