import { Button, Checkbox } from '@mantine/core'
import { IconCircleCheckFilled, IconPlayerPauseFilled, IconPlayerPlayFilled } from '@tabler/icons-react'
import { memo, useId, useState } from 'react'
import { Link } from 'react-router'
import type { RevisionEntry } from 'vivienne-client'
import { Age } from '../parts/Age.tsx'
import { useWhyNot } from '../signin/roles.ts'
import { AlertChanged, AlertDone } from './AlertChanged.tsx'
import { isOfAlert } from './alertWords.ts'
import { Changed } from './Changed.tsx'
import { Outcomes } from './Outcomes.tsx'
import classes from './Revision.module.css'
import { RevisionDocument } from './RevisionDocument.tsx'
import type { Together } from './together.ts'
import { UndoTogether } from './UndoTogether.tsx'
import { actionWords, channelWords, isSwitch } from './words.ts'

interface RevisionProps {
  entry: RevisionEntry
  /** Version of the configuration an activation or deletion was about. */
  target: number | undefined
  /** The change of several layers that it is the first entry of, if that can be undone. */
  together: Together | undefined
  chosen: boolean
  /** What came of it is shown for this asset; for each where it is undefined. */
  asset: string | undefined
  /** Version in force in its layer, if it is known. */
  inForce: number | undefined
  onCompare(one: number, other: number): void
  onChoose(entry: RevisionEntry): void
  onRollBack(entry: RevisionEntry): void
  onUndo(): void
}

/** One change: which version, when, who, for whom, what, why. */
export const Revision = memo(function Revision(props: RevisionProps) {
  const { entry, target, together, chosen, asset, inForce, onChoose, onCompare, onRollBack, onUndo } = props
  const id = useId()
  const [open, setOpen] = useState(false)
  const may = useWhyNot('tuner') === null
  const { version, is_active: active, action, author, channel, reason, created_at: time } = entry
  const isRule = isOfAlert(entry)
  const isChange = !isSwitch(entry) && !isRule
  return (
    <li
      className={classes.revision}
      data-active={(active && !isRule) || undefined}
      data-action={action}
      aria-labelledby={`${id}-version`}
    >
      <div className={classes.head}>
        <h3 id={`${id}-version`} className="figure">
          Version {version}
        </h3>
        {active &&
          (isRule ? (
            <span className={classes.asNow}>the rule as it is now</span>
          ) : (
            <span className={classes.active}>
              <IconCircleCheckFilled size={14} aria-hidden /> in force
            </span>
          ))}
        <span className={classes.age}>
          <Age time={time} />
        </span>
      </div>
      <p className={classes.who}>
        {isRule ? (
          <AlertDone entry={entry} />
        ) : (
          <>
            <Layer asset={entry.asset_symbol} /> · {!isChange && <SwitchIcon action={action} />}
            {actionWords(entry, target)}
          </>
        )}{' '}
        by <strong>{author}</strong> · {channelWords(channel)}
      </p>
      {reason !== null && <p className={classes.reason}>{reason}</p>}
      {isRule && <AlertChanged entry={entry} />}
      {isChange && <Changed entry={entry} all={open} />}
      {isChange && <Outcomes entry={entry} asset={asset} />}
      {open && (
        <div id={id}>
          <RevisionDocument entry={entry} />
        </div>
      )}
      {isChange && (
        <div className={classes.actions}>
          <Button
            size="compact-xs"
            variant="subtle"
            aria-expanded={open}
            aria-controls={id}
            onClick={() => setOpen(!open)}
          >
            {open ? 'Less' : 'Whole document'}
          </Button>
          {may && !active && action !== 'delete' && (
            <Button size="compact-xs" variant="subtle" onClick={() => onRollBack(entry)}>
              Roll back to this
            </Button>
          )}
          {may && together !== undefined && <UndoTogether change={together} onUndo={onUndo} />}
          {inForce !== undefined && inForce !== version && (
            <Button size="compact-xs" variant="subtle" onClick={() => onCompare(version, inForce)}>
              Compare with now
            </Button>
          )}
          <Checkbox
            size="xs"
            className={classes.compare ?? ''}
            label="Compare"
            aria-label={`Compare version ${version}`}
            checked={chosen}
            onChange={() => onChoose(entry)}
          />
        </div>
      )}
    </li>
  )
})

/** A pause and its end belong to no document: there is nothing to roll back to or to compare. */
function SwitchIcon({ action }: Pick<RevisionEntry, 'action'>) {
  const Icon = action === 'pause' ? IconPlayerPauseFilled : IconPlayerPlayFilled
  return <Icon className={classes.switch} size={12} aria-hidden />
}

function Layer({ asset }: { asset: string | null }) {
  return asset === null ? (
    <Link className={classes.layer} to="/configuration" data-global>
      all assets
    </Link>
  ) : (
    <Link className={classes.layer} to={`/assets/${encodeURIComponent(asset)}?panel=configuration`}>
      {asset}
    </Link>
  )
}
