import { Button } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import type { Explanation, Settings } from 'vivienne-client'
import { fieldWords } from '../fieldWords.ts'
import { FilterList, FilterRow } from './FilterList.tsx'
import { SignalTable } from './SignalTable.tsx'
import classes from './WhyPanel.module.css'

interface ExplainedProps {
  explanation: Explanation
  /** Of the configuration that decided. */
  settings: Settings | undefined
  /** The confidences that a person compares with; see `limitsIn`. */
  limits: readonly number[]
  onField: (path: string) => void
}

/** The reasons for a decision: in a sentence, the nearest change, signals and filters. */
export function Explained({ explanation, settings, limits, onField }: ExplainedProps) {
  return (
    <>
      <div className={classes.summary}>
        <Summary text={explanation.summary} />
        <Nearest explanation={explanation} onField={onField} />
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

function Nearest({ explanation, onField }: { explanation: Explanation; onField: (path: string) => void }) {
  const change = explanation.nearest_change
  if (change === null) {
    return (
      <p className={classes.nearest}>
        <span className={classes.said}>{withoutChange(explanation)}</span>
      </p>
    )
  }
  return (
    <p className={classes.nearest}>
      <span className={classes.said} title={change.message}>
        Nearest change: <strong>{change.message}</strong>.
      </span>
      {change.changes.map(({ path }) => (
        <Button
          key={path}
          size="compact-xs"
          variant="light"
          rightSection={<IconArrowRight size={14} aria-hidden />}
          onClick={() => onField(path)}
        >
          Open {fieldWords(path)}
        </Button>
      ))}
    </p>
  )
}

function withoutChange({ signals }: Explanation): string {
  return signals.every((signal) => signal.direction === 0)
    ? 'No signal votes, so no threshold would change the level.'
    : 'No single threshold or switch would alter the level.'
}
