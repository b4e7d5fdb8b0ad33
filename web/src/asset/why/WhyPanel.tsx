import { Button, Skeleton } from '@mantine/core'
import { IconArrowRight } from '@tabler/icons-react'
import type { Explanation } from 'vivienne-client'
import { sameJson, useDecision } from '../agent.ts'
import { fieldWords } from '../fieldWords.ts'
import { FilterList, FilterRow } from './FilterList.tsx'
import { SignalTable } from './SignalTable.tsx'
import classes from './WhyPanel.module.css'

interface WhyPanelProps {
  asset: string
  onField: (path: string) => void
}

/** Reasons for the decision, and the nearest change. Renders on decisions, not on prices. */
export function WhyPanel({ asset, onField }: WhyPanelProps) {
  const explanation = useDecision(asset, (decision) => decision.explanation, sameJson)
  const stale = useDecision(asset, (decision) => decision.status === 'stale')
  return (
    <section className={`panel fresh ${classes.why}`} data-stale={stale || undefined} aria-label="Why">
      {explanation === undefined && <Skeleton height={120} mb="sm" />}
      {explanation === null && <Nothing asset={asset} />}
      {explanation && <Explained asset={asset} explanation={explanation} onField={onField} />}
    </section>
  )
}

function Explained({ asset, explanation, onField }: WhyPanelProps & { explanation: Explanation }) {
  return (
    <>
      <div className={classes.summary}>
        <Summary text={explanation.summary} />
        <Nearest explanation={explanation} onField={onField} />
        <FilterRow filters={explanation.filters} />
      </div>
      <div className={classes.parts}>
        <SignalTable asset={asset} signals={explanation.signals} onField={onField} />
        <FilterList filters={explanation.filters} onField={onField} />
      </div>
    </>
  )
}

/** There is no decision to explain; the status says why. */
function Nothing({ asset }: { asset: string }) {
  const reason = useDecision(asset, (decision) => decision.status_reason)
  const paused = useDecision(asset, (decision) => decision.status === 'paused')
  return (
    <div className={classes.summary}>
      <Summary text={`nothing is decided${reason ? `: ${reason}` : ''}`} />
      <p className={classes.nearest}>
        <span className={classes.said}>
          {paused
            ? `${asset} stays idle with size 0 until it is resumed. You can still change its configuration and preview changes.`
            : 'Signals and filters of the next decision are explained here.'}
        </span>
      </p>
    </div>
  )
}

function Summary({ text }: { text: string }) {
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
