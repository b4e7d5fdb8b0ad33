import { Button } from '@mantine/core'
import { useState } from 'react'
import { namesWords } from '../pausing/words.ts'
import { useWhyNot } from '../signin/roles.ts'
import classes from './MadeNotice.module.css'
import type { MadeChange } from './madeChange.ts'
import { count } from './plural.ts'

interface MadeNoticeProps {
  change: MadeChange
  /** Undoes it; rejects with a sentence. */
  takeBack(): Promise<void>
  /** For one line: the failure as a hint. */
  brief?: boolean
}

/** Summary of a change in force, with a button to undo it. */
export function MadeNotice({ change, takeBack, brief = false }: MadeNoticeProps) {
  const [state, setState] = useState<'ready' | 'undoing' | 'undone'>('ready')
  const may = useWhyNot('tuner') === null
  const [failure, setFailure] = useState<string | null>(null)
  const click = async () => {
    setState('undoing')
    setFailure(null)
    try {
      await takeBack()
      setState('undone')
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
      setState('ready')
    }
  }
  return (
    <span className={classes.notice} data-brief={brief || undefined}>
      <span className={classes.summary}>{madeWords(change)}</span>
      {may && change.before !== undefined && state !== 'undone' && (
        <Button size="compact-xs" variant="default" loading={state === 'undoing'} onClick={click}>
          {change.verb === 'undone' ? 'Redo' : 'Undo'}
        </Button>
      )}
      {state === 'undone' && <span>Undone.</span>}
      {failure !== null && (
        <span className={classes.failure} role="alert" title={failure}>
          {failure}
        </span>
      )}
    </span>
  )
}

/** "2 values saved for BTC." */
export function madeWords({ layer, assets, verb, values }: MadeChange): string {
  const whom = assets === undefined ? (layer ?? 'all assets') : namesWords(assets)
  return `${count(values, 'value')} ${verb} for ${whom}.`
}
