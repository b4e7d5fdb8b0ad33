import { Button } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import type { Explanation, NearestChange, Settings } from 'vivienne-client'
import { fieldWords } from '../fieldWords.ts'
import { FilterList, FilterRow } from './FilterList.tsx'
import { SignalTable } from './SignalTable.tsx'
import { useNowInstead } from './then.ts'
import classes from './WhyPanel.module.css'

interface ExplainedProps {
  explanation: Explanation
  /** Of the configuration that decided. */
  settings: Settings | undefined
  /** The confidences that a person compares with; see `limitsIn`. */
  limits: readonly number[]
  /** Changes that are named, the one that matters most first; that of the explanation alone if left out. */
  named?: readonly NearestChange[] | undefined
  onField: (path: string) => void
}

/** The reasons for a decision: in a sentence, the nearest change, signals and filters. */
export function Explained({ explanation, settings, limits, named, onField }: ExplainedProps) {
  return (
    <>
      <div className={classes.summary}>
        <Summary text={explanation.summary} />
        <Nearest explanation={explanation} named={named} onField={onField} />
        <FilterRow filters={explanation.filters} />
      </div>
      <div className={classes.parts}>
        <SignalTable signals={explanation.signals} settings={settings} limits={limits} onField={onField} />
        <FilterList filters={explanation.filters} onField={onField} />
      </div>
    </>
  )
}

/** The decision in a sentence. */
export function Summary({ text }: { text: string }) {
  return (
    <h2 title={text}>
      <span>Why</span>
      {text.charAt(0).toUpperCase() + text.slice(1).replaceAll(' %', '\u00a0%')}
    </h2>
  )
}

interface NearestProps {
  explanation: Explanation
  named: readonly NearestChange[] | undefined
  onField: (path: string) => void
}

function Nearest({ explanation, named, onField }: NearestProps) {
  const { nearest_change: nearest } = explanation
  const changes = named ?? (nearest === null ? [] : [nearest])
  if (changes.length === 0) {
    return (
      <p className={classes.nearest}>
        <span className={classes.said}>{withoutChange(explanation)}</span>
      </p>
    )
  }
  return changes.map((change, place) => (
    <p key={change.message} className={classes.nearest} data-also={place > 0 || undefined}>
      <span className={classes.said} title={change.message}>
        {place === 0 ? 'Nearest change' : 'Smallest of all'}: <strong>{change.message}</strong>.
      </span>
      {change.changes.map(({ path }) => (
        <OpenField key={path} path={path} onField={onField} />
      ))}
    </p>
  ))
}

/** Opens a field; beside the reasons of the past it says what it holds now, which may be another value. */
function OpenField({ path, onField }: { path: string; onField: (path: string) => void }) {
  const now = useNowInstead(path)
  return (
    <Button
      size="compact-xs"
      variant="light"
      rightSection={<IconArrowRight size={14} aria-hidden />}
      onClick={() => onField(path)}
    >
      Open {fieldWords(path)}
      {now !== null && ` (now ${now})`}
    </Button>
  )
}

function withoutChange({ signals }: Explanation): string {
  return signals.every((signal) => signal.direction === 0)
    ? 'No signal votes, so no threshold would change the level.'
    : 'No single threshold or switch would alter the level.'
}
