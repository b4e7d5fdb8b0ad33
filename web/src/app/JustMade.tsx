import { useEffect, useState } from 'react'
import { MadeNotice } from '../configuration/MadeNotice.tsx'
import { type MadeChange, useMadeOutOfSight } from '../configuration/madeChange.ts'
import classes from './JustMade.module.css'

/** How long a change is said in the frame, in ms; the panel of its layer keeps it. */
const STAYS = 30_000

/** The change that was just made here, if it is the newest in force and its own panel is out of sight. */
export function useJustMade(version: number): MadeChange | undefined {
  const change = useMadeOutOfSight()
  const [over, setOver] = useState<MadeChange>()
  useEffect(() => {
    if (change === undefined) return
    const timer = setTimeout(() => setOver(change), STAYS)
    return () => clearTimeout(timer)
  }, [change])
  return change !== undefined && change !== over && change.version >= version ? change : undefined
}

/** Says in the line of the frame that a change is in force, with the way back. */
export function JustMade({ change }: { change: MadeChange }) {
  return (
    <span className={classes.made} role="status">
      <strong>
        <span className={classes.wide}>Version </span>
        <span className={classes.narrow}>v</span>
        {change.version} in force
      </strong>
      <MadeNotice key={change.version} brief change={change} />
    </span>
  )
}
