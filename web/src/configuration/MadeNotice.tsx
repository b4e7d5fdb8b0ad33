import { Button } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { VivienneProblem } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { namesWords } from '../pausing/words.ts'
import { useWhyNot } from '../signin/roles.ts'
import { NewerChanges } from './Failure.tsx'
import classes from './MadeNotice.module.css'
import { type MadeChange, takeBack } from './madeChange.ts'
import { count } from './plural.ts'

type Undoable = Pick<MadeChange, 'layer' | 'assets' | 'version'>

interface MadeNoticeProps {
  change: MadeChange
  /** For one line: the failure as a hint. */
  brief?: boolean
}

/** Summary of a change in force, with a button to undo it. */
export function MadeNotice({ change, brief = false }: MadeNoticeProps) {
  const client = useVivienneClient()
  const [state, setState] = useState<'ready' | 'undoing' | 'undone'>('ready')
  const may = useWhyNot('tuner') === null
  const [failure, setFailure] = useState<unknown>(null)
  const click = async () => {
    setState('undoing')
    setFailure(null)
    try {
      await takeBack(client, change)
      setState('undone')
    } catch (error) {
      setFailure(error)
      setState('ready')
    }
  }
  return (
    <span className={classes.notice} data-brief={brief || undefined}>
      <span className={classes.summary}>{madeWords(change)}</span>
      {may && state !== 'undone' && (
        <Button size="compact-xs" variant="default" loading={state === 'undoing'} onClick={click}>
          {change.verb === 'undone' ? 'Redo' : 'Undo'}
        </Button>
      )}
      {state === 'undone' && <span>Undone.</span>}
      {failure !== null && <NotUndone change={change} error={failure} brief={brief} />}
    </span>
  )
}

/** Says why a change was not undone: who changed what since, or the words of the server. */
export function NotUndone({ change, error, brief = false }: { change: Undoable; error: unknown; brief?: boolean }) {
  const isConflict = error instanceof VivienneProblem && error.code === 'version_conflict'
  const words = isConflict
    ? `Not undone: ${namesWords(error.errors.map(({ asset }) => asset ?? 'the layer under all assets'))} changed again since version ${change.version}`
    : error instanceof Error
      ? error.message
      : String(error)
  return (
    <span className={classes.failure} role="alert" title={words}>
      {words}
      {isConflict && brief && (
        <>
          ; see the <Link to="/history">history</Link>
        </>
      )}
      {isConflict && !brief && <NewerChanges layer={change.layer} assets={change.assets} since={change.version} />}
    </span>
  )
}

/** "2 values saved for BTC." */
export function madeWords({ layer, assets, verb, values }: MadeChange): string {
  const whom = assets === undefined ? (layer ?? 'all assets') : namesWords(assets)
  return `${count(values, 'value')} ${verb} for ${whom}.`
}
